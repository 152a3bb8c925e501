"""POST_SCALE_UP: green runs and is healthy, and serves nothing yet."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.POST_SCALE_UP)
