"""Recognizes a rollback.

"There is no dedicated ROLLBACK lifecycle stage. When a rollback occurs, Amazon ECS re-invokes hooks registered at the
PRODUCTION_TRAFFIC_SHIFT and TEST_TRAFFIC_SHIFT stages" (ECS developer guide). The event has no flag; a
rollback shows in the weight of the new revision, which is 0 while another one has 100. The trap: PRE_PRODUCTION_TRAFFIC_SHIFT has the
same weights on the way forward, since there they are those before the shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.core.event import LifecycleEvent, Stage, TrafficWeights

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.deployment.service_deployment import ServiceDeployment

_ALL = 100.0


def is_rollback(event: LifecycleEvent, read_deployment: Callable[[], ServiceDeployment | None]) -> bool:
    """Return whether ECS rolls back to the old revision.

    Parameters
    ----------
    event
        The event.
    read_deployment
        Returns ECS's record of the deployment, or None where it is unavailable. Called only where the event leaves
        room for doubt: a shift forward to 100 per cent needs no call.

    Notes
    -----
    ===================  =====================  ==============================================================
    weight of green      ECS's record           answer
    ===================  =====================  ==============================================================
    100                  (not read)             forward
    0, another has 100   rolling back           rollback
    0, another has 100   not rolling back       rollback in BLUE_GREEN, as documented; forward in LINEAR and
                                                CANARY, whose events could carry the weights before a step
    0, another has 100   nothing                rollback, as documented
    anything else        rolling back           rollback
    anything else        not so, or nothing     forward: the checks run, since unknown is not a pass
    ===================  =====================  ==============================================================
    """
    weights = _weights_of_shift(event)
    if weights is None:
        return False
    green = weights.get(str(event.target_revision))
    if green == _ALL:
        return False
    others = [percent for arn, percent in weights.items() if arn != str(event.target_revision)]
    documented = green == 0 and _ALL in others
    deployment = read_deployment()
    if deployment is None:
        return documented
    if deployment.rolling_back:
        return True
    return documented and deployment.strategy not in {"LINEAR", "CANARY"}


def _weights_of_shift(event: LifecycleEvent) -> TrafficWeights | None:
    """Return the weights that this stage shifts; None at stages without hooks in a rollback."""
    match event.stage:
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            return event.production_weights
        case Stage.TEST_TRAFFIC_SHIFT:
            return event.test_weights
        case _:
            return None
