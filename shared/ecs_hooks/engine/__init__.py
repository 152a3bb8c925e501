"""One invocation of a hook: its controller, the plan, the checks, the verdict and the log."""
