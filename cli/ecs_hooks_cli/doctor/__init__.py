"""`ecs-hooks doctor`: why a service's hooks can't work, found out before a deployment does. AWS is only read."""
