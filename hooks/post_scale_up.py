"""POST_SCALE_UP: green runs and is healthy, and serves nothing yet."""

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.targets import TargetsCheck
from ecs_hooks.checks.tasks import TasksCheck

lambda_handler = stage_hook(Stage.POST_SCALE_UP, defaults=[TasksCheck(), TargetsCheck()])
