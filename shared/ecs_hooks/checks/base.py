"""The base class of all checks, and what a check requires."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import FieldError, error_lines

if TYPE_CHECKING:
    from ecs_hooks.auth.fields import SigV4
    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.checks.request.request_fields import RequestFields
    from ecs_hooks.deployment.actions import SharedActions
    from ecs_hooks.deployment.endpoint import Endpoint, Listener


class Requirements(NamedTuple):
    """What a check requires. The defaults are those of a check that requires nothing.

    `ecs-hooks doctor` examines each of them, and the plan compares `watch_seconds` with its timeout.
    """

    listener: Listener | None = None
    """The listener through which the check sends requests to green; None where it sends none."""
    port: int | None = None
    """The port of green that the check connects to, where it differs from the port of green's address."""
    urls: Sequence[str] = ()
    """Other addresses that the check sends requests to, besides those of green and blue."""
    methods: Sequence[str] = ()
    """HTTP methods of the requests to green, where the plan chooses them."""
    requests: Sequence[RequestFields] = ()
    """The requests to green, as the plan has them."""
    blue: bool = False
    """Whether the check sends requests to blue, at an address from AWS."""
    running: bool = False
    """Whether green must be running."""
    secrets: Sequence[Reference] = ()
    """The references to secrets that the check reads."""
    signatures: Sequence[SigV4] = ()
    """The SigV4 settings of its requests."""
    seconds: float = 0
    """Seconds that the check requires within one invocation; 0 where it adapts to the time left."""
    watch_seconds: float = 0
    """Minimum number of seconds from the first invocation to a pass. The timeout of the plan must be longer."""
    actions: frozenset[str] = frozenset()
    """IAM actions that the check requires for every service."""
    service_actions: Callable[[SharedActions], frozenset[str]] = lambda _: frozenset()
    """Returns the IAM actions that depend on the stage or on the load balancers of the service."""
    address_problem: Callable[[Endpoint], str] = lambda _: ""
    """Returns why the result of the check would not be about green at this address; empty where it would be."""

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that the check assumes."""
        return tuple(each.role_arn for each in self.signatures if each.role_arn is not None)

    def iam_actions(self, shared: SharedActions) -> frozenset[str]:
        """Return the IAM actions that the function's role must allow, such as `ecs:ListTasks`.

        Parameters
        ----------
        shared
            The actions that checks have in common at this service and stage.
        """
        if self.running and not shared.green_runs:
            return frozenset()
        found = {*self.actions, *self.service_actions(shared)}
        found |= {each.action for each in self.secrets if each.action}
        if self.roles:
            from ecs_hooks.auth.sigv4 import ASSUME_ROLE  # noqa: PLC0415 - it loads botocore

            found.add(ASSUME_ROLE)
        if self.listener is not None:
            found |= shared.both if self.blue else shared.endpoint[self.listener]
        return frozenset(found)


class AtStep(PlanModel):
    """Other values of the check's fields, for the steps of a deployment at which green has little production traffic."""

    model_config = ConfigDict(extra="allow")

    up_to_percent: Annotated[float, Field(ge=0, le=100)]
    """Highest percentage of the production traffic on green at which these values apply. All other fields are those of the
    check."""


class Check(PlanModel, ABC):
    """One expectation about the deployment. Subclass it for a check of your own: a `type`, fields, and `run`."""

    model_config = ConfigDict(populate_by_name=True)

    type: str
    """Type of the check in a plan."""
    name: Annotated[str, Field(max_length=80)] = ""
    """Name of the check in logs and reasons."""
    watch: Watch | None = None
    """To repeat the check for some time: each run is a measurement, and the measurements are evaluated together."""

    steps: Annotated[tuple[AtStep, ...], Field(max_length=20)] = ()
    """Other values of fields at the steps of a linear or canary deployment. The entry with the smallest `up_to_percent` that
    is not below green's percentage of the production traffic applies; without such an entry, the check as it is."""

    watchable: ClassVar[bool] = True
    """Whether the check supports `watch`; False for checks with a time window of their own."""

    @model_validator(mode="after")
    def _supports_watch(self) -> Self:
        if self.watch is not None and not self.watchable:
            raise FieldError("watch: not supported by this check, which has its own time window; use window_minutes")
        return self

    @model_validator(mode="after")
    def _is_valid_at_every_step(self) -> Self:
        problems: list[str] = []
        for number, step in enumerate(self.steps):
            where = f"steps[{number}]"
            fixed = {"type", "name", "steps"} & set(step.model_extra or ())
            problems += [f"{where}.{name}: must not differ between steps; remove it" for name in sorted(fixed)]
            try:
                self._with(step)
            except ValidationError as error:
                problems += error_lines(error, where, type(self))
        if problems:
            raise FieldError(*problems)
        return self

    def _with(self, step: AtStep) -> Self:
        fields = self.model_dump(by_alias=True, exclude_unset=True, exclude={"steps"})
        return type(self).model_validate({**fields, **(step.model_extra or {})})

    def at(self, percent: float) -> Self:
        """Return the check with the values of its fields for green's percentage of the production traffic."""
        fitting = [step for step in self.steps if percent <= step.up_to_percent]
        if fitting:
            return self._with(min(fitting, key=lambda step: step.up_to_percent))
        return self.model_copy(update={"steps": ()}) if self.steps else self

    @property
    def variants(self) -> tuple[Self, ...]:
        """The check with its own values, and with those of each step."""
        return (self.at(math.inf), *(self._with(step) for step in self.steps))

    @property
    def label(self) -> str:
        """The check in reasons, such as `http "upload"`."""
        return f'{self.type} "{self.name}"' if self.name else self.type

    def requirements(self) -> Requirements:
        """Return what the check requires; extend it with `super().requirements()._replace(...)`."""
        return Requirements(watch_seconds=0 if self.watch is None else self.watch.seconds)

    @abstractmethod
    def run(self, context: CheckContext) -> Outcome:
        """Run the check, and return its outcome."""
