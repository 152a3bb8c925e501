"""`ecs-hooks migrate`: converts an AppSpec and a deployment group of CodeDeploy to the input of ECS's UpdateService."""
