"""PRODUCTION_TRAFFIC_SHIFT: production traffic is on its way to green, at every step of a linear or canary deployment."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.PRODUCTION_TRAFFIC_SHIFT)
