"""POST_PRODUCTION_TRAFFIC_SHIFT: green serves all of the production traffic."""

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.expect import Expect
from ecs_hooks.checks.http import HttpCheck

lambda_handler = stage_hook(
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
    defaults=[HttpCheck(name="root", expect=Expect(status=["2xx", "3xx"]))],
)
