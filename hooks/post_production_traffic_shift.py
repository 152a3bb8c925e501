"""POST_PRODUCTION_TRAFFIC_SHIFT: green serves all of the production traffic."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT)
