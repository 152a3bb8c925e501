"""`ecs-hooks migrate`: what takes the place of an AppSpec of CodeDeploy where ECS deploys by itself."""
