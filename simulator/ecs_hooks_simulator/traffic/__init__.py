"""The load balancer of a simulation, and the faults that it injects."""
