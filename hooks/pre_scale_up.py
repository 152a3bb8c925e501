"""PRE_SCALE_UP: green has not started; blue serves everything."""

from ecs_hooks import Stage, stage_hook

lambda_handler = stage_hook(Stage.PRE_SCALE_UP)
