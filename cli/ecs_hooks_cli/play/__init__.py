"""`simulate` and `demo`: deployments played on one machine."""
