"""PRE_SCALE_UP: green has not started; blue serves everything."""

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.alarm import AlarmCheck

lambda_handler = stage_hook(
    Stage.PRE_SCALE_UP,
    # ECS itself stops watching its alarms where one of them is in ALARM at the beginning of a deployment.
    defaults=[AlarmCheck(insufficient_data="ignore")],
)
