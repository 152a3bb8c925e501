"""PRE_PRODUCTION_TRAFFIC_SHIFT: production traffic is about to be shifted, at every step of a linear or canary deployment."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT)
