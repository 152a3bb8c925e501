"""POST_TEST_TRAFFIC_SHIFT: green serves all of the test traffic."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
