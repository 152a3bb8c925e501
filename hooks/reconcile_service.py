"""RECONCILE_SERVICE: several service revisions are active, and ECS is about to make one of them."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.RECONCILE_SERVICE)
