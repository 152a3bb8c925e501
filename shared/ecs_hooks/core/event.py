"""The event of a lifecycle hook, as types.

Source: Amazon ECS developer guide, "Lifecycle hooks for Amazon ECS service deployments" (Lambda), "Common payload
structure". Unknown fields are kept, not refused, since ECS adds to the payload.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.formatting import json_type
from ecs_hooks.core.json_text import JsonError, read_json

STATE_KEY = "ecsHooks"
"""The one key of `hookDetails` that belongs to this library: its state between two invocations."""

ORIGINS_IN_EVENT = ("hookDetails", "hookDetails has no plan")
"""`plan_origin` of an event that has a plan, and of one that has none."""

ORIGIN_IN_FUNCTION = "environment variable ECS_HOOKS_PLAN"
"""`plan_origin` of a plan in the environment of the function, the only place where it was looked for."""

_FLAT = {"serviceArn": "service", "targetServiceRevisionArn": "service-revision"}
_MAX_SHOWN = 200

CODEDEPLOY_KEY = "LifecycleEventHookExecutionId"
"""The key that identifies an event of AWS CodeDeploy; see `ecs_hooks.codedeploy`."""


class Stage(StrEnum):
    """The eight stages at which ECS invokes a Lambda hook.

    Source: ECS API, `DeploymentLifecycleHookStage`. `SCALE_UP`, `BAKE_TIME` and `CLEAN_UP` accept no hook.
    """

    RECONCILE_SERVICE = "RECONCILE_SERVICE"
    PRE_SCALE_UP = "PRE_SCALE_UP"
    POST_SCALE_UP = "POST_SCALE_UP"
    TEST_TRAFFIC_SHIFT = "TEST_TRAFFIC_SHIFT"
    POST_TEST_TRAFFIC_SHIFT = "POST_TEST_TRAFFIC_SHIFT"
    PRE_PRODUCTION_TRAFFIC_SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT"
    PRODUCTION_TRAFFIC_SHIFT = "PRODUCTION_TRAFFIC_SHIFT"
    POST_PRODUCTION_TRAFFIC_SHIFT = "POST_PRODUCTION_TRAFFIC_SHIFT"


class EventError(ValueError):
    """The event is not a lifecycle hook event.

    Parameters
    ----------
    field_name
        Path of the field that is wrong, as ECS spells it.
    problem
        What is wrong, and what is allowed.
    """

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"event.{field_name}: {problem}" if field_name else f"event: {problem}")
        self.field_name = field_name


class TrafficWeights(Mapping[str, float]):
    """Per cent of the traffic by ARN of the service revision.

    ECS sends whole numbers in its documented examples; linear and canary steps are multiples of 0.1, so floats and
    numbers in quotes are accepted too.

    Parameters
    ----------
    weights
        Service revision ARN to per cent, 0 to 100.
    """

    __slots__ = ("_weights",)

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self._weights = dict(weights or {})

    @classmethod
    def parse(cls, value: object, field_name: str) -> TrafficWeights:
        """Return the weights in an event; null and absent are the same as no weights.

        Raises
        ------
        EventError
            If it is not a map of per cents.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise EventError(field_name, "must be an object of service revision ARN and per cent")
        return cls({str(arn): _percent(weight, field_name) for arn, weight in value.items()})

    def __getitem__(self, arn: str) -> float:
        """Return the per cent of a service revision."""
        return self._weights[arn]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the service revision ARNs."""
        return iter(self._weights)

    def __len__(self) -> int:
        """Return the number of service revisions."""
        return len(self._weights)

    def __repr__(self) -> str:
        """Return the weights as Python source."""
        return f"TrafficWeights({self._weights!r})"


class HookEvent(Protocol):
    """The event of an invocation, from any deployment controller."""

    @property
    def stage(self) -> Stage | str:
        """A `Stage`, or the text of the event where this version does not know the stage."""

    @property
    def hook_details(self) -> Any:
        """The configuration of the hook, with its state. Any JSON."""

    @property
    def plan_origin(self) -> str:
        """Where the plan was found; without a plan, where it was not."""

    @property
    def region(self) -> str:
        """The region of the deployment."""

    @property
    def service_name(self) -> str:
        """The name of the service or function, for reasons."""

    @property
    def deployed(self) -> EcsArn:
        """The service or function that is deployed; empty parts are unknown."""

    @property
    def stage_name(self) -> str:
        """The stage in the spelling of the hook modules, such as `post_test_traffic_shift`."""

    @property
    def green_percent(self) -> float | None:
        """Per cent of the production traffic of the new revision, None where the event does not say."""

    @property
    def configuration(self) -> dict[str, Any] | None:
        """`hook_details` as an object, without this library's own state; None where it is another kind of JSON."""

    @property
    def state(self) -> object:
        """The state that this library returned with its last IN_PROGRESS; None at first."""

    @property
    def step(self) -> Sequence[Any]:
        """The step that the state belongs to."""

    @property
    def log_keys(self) -> Mapping[str, str]:
        """The keys of every log line."""


class LifecycleEvent(NamedTuple):
    """One invocation of a lifecycle hook by ECS.

    Parameters
    ----------
    execution_id
        ECS's id of this hook execution; whether it stays the same over IN_PROGRESS is not documented.
    stage
        A `Stage`, or the text of the event where this version does not know the stage.
    deployment
        The service deployment (`resourceArn`).
    service
        The service.
    target_revision
        The new service revision: green.
    test_weights, production_weights
        Per cent of the test and production traffic by service revision; empty at most stages.
    hook_details
        `hookDetails` as received: the configuration and what the hook returned with IN_PROGRESS. Any JSON.
    extra
        Unknown fields of the event.
    """

    execution_id: str
    stage: Stage | str
    deployment: EcsArn
    service: EcsArn
    target_revision: EcsArn
    test_weights: TrafficWeights
    production_weights: TrafficWeights
    hook_details: Any = None
    extra: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def parse(cls, event: object) -> LifecycleEvent:
        """Parse an event, in the nested shape that ECS sends or the flat one of the documentation of 2025.

        Raises
        ------
        EventError
            If it is not a lifecycle hook event; the message names the field and what is expected.
        """
        if not isinstance(event, Mapping):
            raise EventError("", f"must be a JSON object, not {json_type(event)}")
        stage = event.get("lifecycleStage")
        if not isinstance(stage, str) or not stage:
            raise EventError("lifecycleStage", "is required; is this an ECS deployment lifecycle hook event?")
        details = event.get("executionDetails")
        if details is None:
            details, where = event, ""
        elif isinstance(details, Mapping):
            where = "executionDetails."
        else:
            raise EventError("executionDetails", f"must be an object, not {json_type(details)}")
        target = _arn(details, where, "targetServiceRevisionArn", "service-revision")
        # The service is part of the revision's ARN, so an event without it is still answered.
        service = (
            EcsArn.parse(target.service_arn)
            if details.get("serviceArn") is None
            else _arn(details, where, "serviceArn", "service")
        )
        deployment = _arn(event, "", "resourceArn", "service-deployment")
        test_weights, production_weights = (
            TrafficWeights.parse(details.get(name), f"{where}{name}")
            for name in ("testTrafficWeights", "productionTrafficWeights")
        )
        _require_one_service(
            {
                "resourceArn": deployment,
                f"{where}targetServiceRevisionArn": target,
                f"{where}serviceArn": service,
                **{name: _arn(event, "", name, kind) for name, kind in _FLAT.items() if event.get(name) is not None},
                **dict(_revisions(f"{where}testTrafficWeights", test_weights)),
                **dict(_revisions(f"{where}productionTrafficWeights", production_weights)),
            }
        )
        execution_id = event.get("executionId")
        return cls(
            execution_id=execution_id if isinstance(execution_id, str) else "",
            stage=Stage(stage) if stage in Stage.__members__ else stage,
            deployment=deployment,
            service=service,
            target_revision=target,
            test_weights=test_weights,
            production_weights=production_weights,
            hook_details=event.get("hookDetails"),
            extra=_unknown(event, details),
        )

    @property
    def plan_origin(self) -> str:
        """Where the plan was found; without a plan, where it was not."""
        return ORIGINS_IN_EVENT[self.configuration == {}]

    @property
    def region(self) -> str:
        """The region of the deployment."""
        return self.deployment.region

    @property
    def service_name(self) -> str:
        """The name of the service."""
        return self.service.service

    @property
    def deployed(self) -> EcsArn:
        """The service, with its cluster."""
        return EcsArn.parse(self.deployment.service_arn)

    @property
    def stage_name(self) -> str:
        """The stage in the spelling of the hook modules, such as `post_test_traffic_shift`."""
        return str(self.stage).lower()

    @property
    def step(self) -> Sequence[Any]:
        """Deployment, stage and traffic weights.

        `hookDetails` "only persists between invocations of the same hook within a single deployment" (ECS developer
        guide); whether it also survives from one linear or canary step to the next is not documented, so the weights are
        part of it.
        """
        weights = [sorted(each.items()) for each in (self.test_weights, self.production_weights)]
        return [str(self.deployment), str(self.target_revision), str(self.stage), weights]

    @property
    def log_keys(self) -> Mapping[str, str]:
        """The keys of every log line."""
        return {
            "deployment": str(self.deployment),
            "service": self.service_name,
            "stage": str(self.stage),
            "revision": str(self.target_revision),
        }

    @property
    def green_percent(self) -> float | None:
        """Per cent of the production traffic of the new revision, None where the event does not say."""
        return self.production_weights.get(str(self.target_revision))

    @property
    def configuration(self) -> dict[str, Any] | None:
        """`hookDetails` as an object, without this library's own state; None where it is another kind of JSON.

        A string with a JSON object counts as that object: CloudFormation has the configuration as a string.
        Absent and null are the same as an empty object (observed in SDKs).
        """
        details = self._details()
        if details is None:
            return None
        return {key: value for key, value in details.items() if key != STATE_KEY}

    @property
    def state(self) -> object:
        """The state that this library returned with its last IN_PROGRESS; None at first."""
        return (self._details() or {}).get(STATE_KEY)

    def _details(self) -> dict[str, Any] | None:
        details = self.hook_details
        if details is None:
            return {}
        if isinstance(details, str):
            try:
                details = read_json(details, strict=True)
            except JsonError:
                return None
        return {str(key): value for key, value in details.items()} if isinstance(details, Mapping) else None


_KNOWN = {
    "executionId",
    "lifecycleStage",
    "resourceArn",
    "executionDetails",
    "serviceArn",
    "targetServiceRevisionArn",
    "testTrafficWeights",
    "productionTrafficWeights",
    "hookDetails",
}


def _unknown(*objects: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for each in objects for key, value in each.items() if key not in _KNOWN}


def _arn(fields: Mapping[Any, Any], where: str, name: str, kind: str) -> EcsArn:
    value = fields.get(name)
    if not isinstance(value, str):
        problem = "is required" if value is None else f"must be a string, not {json_type(value)}"
        raise EventError(f"{where}{name}", f"{problem}; expected the ARN of a {kind}")
    try:
        return EcsArn.parse(value, kind)
    except ValueError as error:
        raise EventError(f"{where}{name}", str(error)) from None


def _revisions(field_name: str, weights: TrafficWeights) -> Iterator[tuple[str, EcsArn]]:
    """Yield the field and the ARN of each service revision among weights, or of anything else of a service."""
    for number, key in enumerate(weights):
        with suppress(ValueError):  # the form of the keys is not documented
            yield f"{field_name}[{number}]", EcsArn.parse(key)


def _require_one_service(arns: Mapping[str, EcsArn]) -> None:
    """Raise `EventError` for the first ARN of another service than that of the first one."""
    (first, expected), *others = arns.items()
    for name, arn in others:
        part = arn.difference(expected)
        if part:
            raise EventError(
                name,
                f"{_shown(arn)} is of another {part} than event.{first} {_shown(expected)}; all ARNs of an event must be of "
                "one service",
            )


def _shown(arn: object) -> str:
    return ascii(str(arn)[:_MAX_SHOWN])[1:-1]


def _percent(value: object, field_name: str) -> float:
    problem = "every weight must be a number from 0 to 100"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise EventError(field_name, problem)
    try:
        percent = float(value)
    except (ValueError, OverflowError):
        raise EventError(field_name, problem) from None
    if not math.isfinite(percent) or not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
        raise EventError(field_name, problem)
    return percent
