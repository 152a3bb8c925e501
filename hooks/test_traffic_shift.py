"""TEST_TRAFFIC_SHIFT: the test traffic is on its way from blue to green."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.TEST_TRAFFIC_SHIFT)
