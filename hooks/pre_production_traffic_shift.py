"""PRE_PRODUCTION_TRAFFIC_SHIFT: production traffic is about to be shifted, at every step of a linear or canary deployment."""

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.drift import DriftCheck
from ecs_hooks.checks.expect import Expect
from ecs_hooks.checks.http import HttpCheck

lambda_handler = stage_hook(
    Stage.PRE_PRODUCTION_TRAFFIC_SHIFT,
    defaults=[DriftCheck(), HttpCheck(name="root", expect=Expect(status=["2xx", "3xx"]))],
)
