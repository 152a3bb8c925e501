"""`ecs-hooks import`: smoke checks from the OpenAPI document of a service."""
