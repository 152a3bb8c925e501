"""The event that ECS sends to a hook, exactly as docs/contract.md, 2.2, has it.

Example
-------
>>> weights_at("PRE_PRODUCTION_TRAFFIC_SHIFT", green="g", blue="b")
StageWeights(test={}, production={'g': 0, 'b': 100})
>>> weights_at("PRODUCTION_TRAFFIC_SHIFT", green="g", blue="b", rollback=True)
StageWeights(test={}, production={'g': 0, 'b': 100})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.ecs.undocumented import AbsentDetails, Behaviour, FirstWeights, Numbers, RollbackTestWeights

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.record import ServiceDeployment


@dataclass(frozen=True, slots=True)
class StageWeights:
    """The two maps of traffic weights in an event; empty at most stages."""

    test: Mapping[str, float] = field(default_factory=dict)
    production: Mapping[str, float] = field(default_factory=dict)


def split(green: str, blue: str | None, percent: float) -> dict[str, float]:
    """Return the weights that give green so many per cent, and blue, where there is one, the rest."""
    return {green: percent} if blue is None else {green: percent, blue: 100 - percent}


def weights_at(
    stage: str,
    *,
    green: str,
    blue: str | None,
    others: Sequence[str] = (),
    rollback: bool = False,
    before: float = 0,
    after: float | None = None,
) -> StageWeights:
    """Return the traffic weights in the event of a stage.

    Parameters
    ----------
    stage
        The lifecycle stage.
    green, blue
        ARNs of the target revision and of the one that it replaces, None on a first deployment.
    others
        ARNs of further active revisions, which appear at RECONCILE_SERVICE.
    rollback
        Whether the deployment is rolling back.
    before, after
        Green's per cent of the production traffic before and after the shift; after it 100 where None is given, 0 in a
        rollback.
    """
    shifted = (0 if rollback else 100) if after is None else after
    match stage:
        case Stage.RECONCILE_SERVICE:
            weights = split(green, blue, 100) | dict.fromkeys(others, 0)
            return StageWeights(weights, weights)
        case Stage.TEST_TRAFFIC_SHIFT:
            return StageWeights(test=split(green, blue, 0 if rollback else 100))
        case Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return StageWeights(production=split(green, blue, before))
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            return StageWeights(production=split(green, blue, shifted))
        case _:
            return StageWeights()


def build_event(
    deployment: ServiceDeployment,
    stage: str,
    *,
    execution_id: str,
    weights: StageWeights,
    hook_details: Any,
    behaviour: Behaviour,
) -> dict[str, Any]:
    """Return the event for one invocation of a hook."""
    first = not deployment.sources
    test = weights.test
    rolled_back = stage == Stage.TEST_TRAFFIC_SHIFT and not test.get(deployment.target.arn)
    if rolled_back and behaviour.rollback_test_weights is RollbackTestWeights.EMPTY:
        test = {}
    event: dict[str, Any] = {
        "executionId": execution_id,
        "lifecycleStage": str(stage),
        "resourceArn": deployment.arn,
        "executionDetails": {
            "serviceArn": deployment.service.arn,
            "targetServiceRevisionArn": deployment.target.arn,
            "testTrafficWeights": _written(test, behaviour, first=first),
            "productionTrafficWeights": _written(weights.production, behaviour, first=first),
        },
    }
    if hook_details is not None:
        event["hookDetails"] = hook_details
    elif behaviour.absent_details is AbsentDetails.NULL:
        event["hookDetails"] = None
    return event


def _written(weights: Mapping[str, float], behaviour: Behaviour, *, first: bool) -> dict[str, Any]:
    if first and behaviour.first_weights is FirstWeights.EMPTY:
        return {}
    return {arn: _number(weight, behaviour.numbers) for arn, weight in weights.items()}


def _number(weight: float, numbers: Numbers) -> float | str:
    if numbers is Numbers.FLOAT:
        return float(weight)
    if numbers is Numbers.STRING:
        return f"{weight:g}"
    # Steps of 0.1 per cent are no whole numbers however they are written.
    return int(weight) if float(weight).is_integer() else weight
