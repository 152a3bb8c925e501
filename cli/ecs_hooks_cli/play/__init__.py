"""`ecs-hooks simulate` and `ecs-hooks demo`: deployments that are played on this machine."""
