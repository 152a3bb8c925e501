"""What every check has in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import Stage
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.core.validation_errors import described
from ecs_hooks.deployment.baseline import blue_endpoint
from ecs_hooks.deployment.green import Configured

if TYPE_CHECKING:
    from ecs_hooks.auth.fields import SigV4
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.deployment.actions import SharedActions
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.baseline import Blue
    from ecs_hooks.deployment.endpoint import Endpoint, Listener


class UnknownShareError(ExplainedError):
    """Nobody tells green's share of the traffic, on which the fields of a check hang."""


class CheckContext:
    """What a check may know of the invocation it runs in.

    Parameters
    ----------
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment.
    find_endpoint
        Finds out where green answers through the test or the production listener.
    deadline
        When the check's answer is of no use any more.
    elapsed
        Seconds since the hook was first invoked at this step of the deployment.
    checks
        The checks of the plan, so that those of one kind can put their questions to AWS together.
    told_percent
        Green's share of the production traffic as the event tells it, in per cent; None where it does not.
    find_blue
        Finds out where blue answers, from an address and a `Host` that the plan gives; by default where nothing is said of green's.
    """

    def __init__(  # noqa: PLR0913 - one parameter for each thing that a check may know
        self,
        stage: str,
        find_deployment: Callable[[], Deployment],
        find_endpoint: Callable[[Listener], Endpoint],
        deadline: Deadline,
        elapsed: float,
        checks: Sequence[Check] = (),
        told_percent: float | None = None,
        *,
        find_blue: Callable[[str | None, str | None], Blue] | None = None,
    ) -> None:
        self.checks = checks
        self.stage = stage
        self._told_percent = told_percent
        self._find_deployment = find_deployment
        self.deadline = deadline
        self.elapsed = elapsed
        self._find_endpoint = find_endpoint
        self._find_blue = find_blue or partial(blue_endpoint, Configured(), stage, find_deployment)

    @property
    def deployment(self) -> Deployment:
        """Who is green and who is blue; AWS is asked when a fact is first needed."""
        return self._find_deployment()

    @property
    def region(self) -> str:
        """The region of the deployment."""
        return self.deployment.region

    @property
    def green_percent(self) -> float | None:
        """Green's share of the production traffic, in per cent; None where nobody tells.

        Whether the event before a step of a linear or canary deployment has the weights before or after it is not
        documented, so ECS's own record is asked too: before the step, the lesser one of the two is the present one.
        """
        told = self._told_percent
        if told is not None and self.stage != Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return told
        known = [share for share in (told, self.deployment.green_percent) if share is not None]
        return min(known, default=None)

    def at_step(self, checks: Sequence[Check]) -> tuple[Check, ...]:
        """Return checks as they are at this step of the deployment; see `Check.steps`.

        Raises
        ------
        ExplainedError
            If that is not known.
        """
        if not any(check.steps for check in checks):
            return tuple(checks)
        percent = self.green_percent
        if percent is None:
            raise UnknownShareError("neither the event nor ECS tells green's share of the traffic, on which they hang")
        return tuple(check.at(percent) for check in checks)

    @property
    def green(self) -> Endpoint:
        """Where green answers; see `endpoint`."""
        return self.endpoint("test")

    def endpoint(self, listener: Listener) -> Endpoint:
        """Return where green answers through a listener.

        Parameters
        ----------
        listener
            `test`, or `production` once all of its traffic goes to green.

        Raises
        ------
        ExplainedError
            If that is not known. Leave it uncaught, and the check's outcome is the right one for it.
        """
        return self._find_endpoint(listener)

    def blue(self, url: str | None = None, host: str | None = None) -> Blue:
        """Return where blue answers, for a check that asks it beside green; see `blue_endpoint`.

        Parameters
        ----------
        url
            The address; None leaves it to AWS.
        host
            `Host` of the requests; None as the plan or the listener rule has it.

        Raises
        ------
        ExplainedError
            If that is not known. Leave it uncaught, and the check's outcome is the right one for it.
        """
        return self._find_blue(url, host)


class AtStep(BaseModel):
    """Fields of a check that are different while green's share of the production traffic is small."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    up_to_percent: Annotated[float, Field(ge=0, le=100)]
    """Up to which share of green they hold, in per cent. All other fields are those of the check."""


class Check(BaseModel, ABC):
    """One question about the deployment: its configuration, and how to ask it.

    Subclass it for a check of your own: fields as in any pydantic model, and `run`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    type: str
    """The kind of the check, as a plan names it."""
    name: Annotated[str, Field(max_length=80)] = ""
    """What the check is called in logs and reasons."""
    watch: Watch | None = None
    """To ask again and again for a while: each answer is a measurement, and they are judged together."""

    steps: Annotated[tuple[AtStep, ...], Field(max_length=20)] = ()
    """Other values of fields, by green's share of the production traffic: that with the smallest fitting `up_to_percent`
    holds, and above all of them the check as it is."""

    watchable: ClassVar[bool] = True
    """Whether `watch` makes sense; not where a check watches by itself."""

    @model_validator(mode="after")
    def _is_not_watched_twice(self) -> Self:
        if self.watch is not None and not self.watchable:
            raise ValueError("watch: this check watches by itself, see window_minutes")
        return self

    @model_validator(mode="after")
    def _is_valid_at_every_step(self) -> Self:
        problems: list[str] = []
        for number, step in enumerate(self.steps):
            where = f"steps[{number}]"
            fixed = {"type", "name", "steps"} & set(step.model_extra or ())
            problems += [f"{where}.{name}: is the same at every step" for name in sorted(fixed)]
            try:
                self._with(step)
            except ValidationError as error:
                problems += described(error, where, type(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _with(self, step: AtStep) -> Self:
        fields = self.model_dump(by_alias=True, exclude_unset=True, exclude={"steps"})
        return type(self).model_validate({**fields, **(step.model_extra or {})})

    def at(self, percent: float) -> Self:
        """Return the check as it is while green has this share of the production traffic, in per cent."""
        fitting = [step for step in self.steps if percent <= step.up_to_percent]
        if fitting:
            return self._with(min(fitting, key=lambda step: step.up_to_percent))
        return self.model_copy(update={"steps": ()}) if self.steps else self

    @property
    def variants(self) -> tuple[Self, ...]:
        """The check as it can be, at one step or another."""
        return (self.at(math.inf), *(self._with(step) for step in self.steps))

    @property
    def label(self) -> str:
        """The check as reasons name it, such as `http "upload"`."""
        return f'{self.type} "{self.name}"' if self.name else self.type

    @property
    def watches_seconds(self) -> float:
        """How long the check watches before it can pass, in seconds; a plan must not end sooner."""
        return 0 if self.watch is None else self.watch.seconds

    @property
    def asked_listener(self) -> Listener | None:
        """Through which listener the check sends requests to green; None where it sends none."""
        return None

    @property
    def asked_urls(self) -> Sequence[str]:
        """The absolute addresses that the check sends requests to; they may be anybody's."""
        return ()

    @property
    def asked_port(self) -> int | None:
        """The port of green that the check connects to, where it is another one than that of green's address."""
        return None

    @property
    def asked_secrets(self) -> Sequence[Reference]:
        """The secrets that the check has by reference."""
        return ()

    @property
    def asked_signatures(self) -> Sequence[SigV4]:
        """How requests of the check are signed for AWS, each that is."""
        return ()

    @property
    def asked_roles(self) -> Sequence[str]:
        """ARNs of the roles that the check assumes."""
        return [each.role_arn for each in self.asked_signatures if each.role_arn is not None]

    @property
    def asked_methods(self) -> Sequence[str]:
        """The methods of the requests that the check sends to green, where a plan chooses them."""
        return ()

    @property
    def asks_blue(self) -> bool:
        """Whether the check sends requests to blue, too, at an address that AWS has to tell."""
        return False

    @property
    def needs_seconds(self) -> float:
        """The seconds that there must be in one invocation; 0 where the check makes do with what there is."""
        return 0

    @property
    def needs_running(self) -> bool:
        """Whether the check can only be asked once green runs."""
        return False

    def objection(self, green: Endpoint) -> str:  # noqa: ARG002 - for those that have one
        """Return why the check would tell nothing of green at this address of it; empty where it would."""
        return ""

    def actions(self, shared: SharedActions) -> frozenset[str]:
        """Return the IAM actions that the function's role has to allow for this check, such as `ecs:ListTasks`.

        Parameters
        ----------
        shared
            Those that checks have in common, and what decides which they are. Default: those for the address of green,
            where that is asked, for secrets by reference, and for roles.
        """
        listener = self.asked_listener
        return self._own_actions if listener is None else self._own_actions | shared.endpoint[listener]

    @property
    def _own_actions(self) -> frozenset[str]:
        found = {each.action for each in self.asked_secrets if each.action}
        if self.asked_roles:
            from ecs_hooks.auth.role import ACTION  # noqa: PLC0415 - it loads botocore

            found.add(ACTION)
        return frozenset(found)

    @abstractmethod
    def run(self, context: CheckContext) -> Outcome:
        """Ask, and return what came of it.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """
