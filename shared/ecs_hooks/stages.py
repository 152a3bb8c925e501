"""The default checks of each stage: what a stage's hook runs where its plan names no checks.

`hooks/`, `ecs-hooks doctor` and the documentation use this one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.core.event import Stage

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check

WINDOW_MINUTES = 5
"""Minutes for which alarms and golden signals are watched once green serves all of the production traffic."""


def default_checks(stage: str) -> tuple[Check, ...]:
    """Return the default checks of a stage; none where there is nothing to check.

    Parameters
    ----------
    stage
        The stage, as ECS spells it. An unknown stage has no default checks.
    """
    # A function of one stage loads the checks of that stage only; each costs milliseconds of its cold start.
    match stage:
        case Stage.PRE_SCALE_UP:
            from ecs_hooks.checks.alarm import AlarmCheck  # noqa: PLC0415

            # ECS itself stops watching its alarms where one of them is in ALARM at the beginning of a deployment.
            return (AlarmCheck(insufficient_data="ignore"),)
        case Stage.POST_SCALE_UP:
            from ecs_hooks.checks.targets import TargetsCheck  # noqa: PLC0415
            from ecs_hooks.checks.tasks import TasksCheck  # noqa: PLC0415

            return (TasksCheck(), TargetsCheck())
        case Stage.POST_TEST_TRAFFIC_SHIFT:
            return (_root(),)
        case Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            from ecs_hooks.checks.drift import DriftCheck  # noqa: PLC0415

            return (DriftCheck(), _root())
        case Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
            from ecs_hooks.checks.alarm import AlarmCheck  # noqa: PLC0415
            from ecs_hooks.checks.golden_signals.golden_signals_check import GoldenSignalsCheck  # noqa: PLC0415
            from ecs_hooks.core.measurement import Watch  # noqa: PLC0415

            return (
                _root(),
                # An alarm that was in ALARM before green says nothing about green; green may be the fix.
                AlarmCheck(
                    already_alarming="ignore", insufficient_data="ignore", watch=Watch(for_minutes=WINDOW_MINUTES)
                ),
                # A service without traffic must not be rolled back by a check that nobody has asked for.
                GoldenSignalsCheck(window_minutes=WINDOW_MINUTES, missing_data="skip"),
            )
        case _:
            return ()


def _root() -> Check:
    from ecs_hooks.assertions.expect import Expect  # noqa: PLC0415
    from ecs_hooks.checks.http import HttpCheck  # noqa: PLC0415

    return HttpCheck(name="root", expect=Expect(status=["2xx", "3xx"]))
