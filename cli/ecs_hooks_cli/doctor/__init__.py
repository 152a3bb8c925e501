"""`ecs-hooks doctor`: finds what would make a service's hooks fail, before a deployment does. It only reads from AWS."""
