"""ECS's deployments in virtual time: the controller, its hooks, and its API."""
