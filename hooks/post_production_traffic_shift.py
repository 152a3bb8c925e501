"""POST_PRODUCTION_TRAFFIC_SHIFT: green serves all of the production traffic."""

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.alarm import AlarmCheck
from ecs_hooks.checks.expect import Expect
from ecs_hooks.checks.golden_signals import GoldenSignalsCheck
from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.watch import Watch

WINDOW_MINUTES = 5

lambda_handler = stage_hook(
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
    defaults=[
        HttpCheck(name="root", expect=Expect(status=["2xx", "3xx"])),
        # An alarm that was there before green says nothing of it; green may be the very fix.
        AlarmCheck(already_alarming="ignore", insufficient_data="ignore", watch=Watch(for_minutes=WINDOW_MINUTES)),
        GoldenSignalsCheck(window_minutes=WINDOW_MINUTES),
    ],
)
