"""Options for the behaviour that AWS does not document.

A hook must work with all of them. `EcsBehaviour()` is the likeliest behaviour. `EcsBehaviour.variants()` has each
alternative, so that a test can play a deployment under every one.

Example
-------
>>> len({variant.name for variant in EcsBehaviour.variants()}) == len(EcsBehaviour.variants())
True
>>> EcsBehaviour(hook_details_merge=Merge.REPLACE).name
'hook_details_merge=replace'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from typing import Any, Self


class Merge(StrEnum):
    """How ECS merges returned `hookDetails` into the present ones."""

    SHALLOW = "shallow"
    """Top-level keys replace top-level keys."""
    DEEP = "deep"
    """Objects are merged at every level."""
    REPLACE = "replace"
    """The returned ones replace all."""


class ExecutionId(StrEnum):
    """`executionId` of the next invocation after IN_PROGRESS."""

    STABLE = "stable"
    NEW = "new"


class HookIdentity(StrEnum):
    """Which invocations share their `hookDetails`."""

    PER_STAGE = "per-stage"
    """Those of one hook at one stage."""
    PER_HOOK = "per-hook"
    """Those of one hook at all its stages."""
    PER_STEP = "per-step"
    """Those of one hook at one stage and one step of a linear or canary deployment."""


class RollbackDetails(StrEnum):
    """`hookDetails` when a rollback invokes a hook again."""

    KEPT = "kept"
    CONFIGURED = "configured"
    """Only those that the service configures."""


class RollbackInvocation(StrEnum):
    """Which of the two traffic shift stages a rollback invokes again."""

    REACHED = "reached"
    """Those that the deployment has reached."""
    ALWAYS = "always"
    """Both, even after a failure before the shift."""


class RollbackFailure(StrEnum):
    """The effect of a hook that fails during a rollback."""

    ROLLBACK_FAILED = "rollback-failed"
    IGNORED = "ignored"


class ShiftOrder(StrEnum):
    """Whether the hooks of a traffic shift stage run after the shift or before it."""

    HOOK_AFTER = "hook-after"
    HOOK_BEFORE = "hook-before"


class StepWeights(StrEnum):
    """Traffic weights in the events of PRE_PRODUCTION_TRAFFIC_SHIFT."""

    BEFORE = "before"
    """Those before the step, as documented for BLUE_GREEN."""
    AFTER = "after"
    """Those after the step."""


class StepRollback(StrEnum):
    """How a rollback shifts the production traffic of a linear or canary deployment."""

    JUMP = "jump"
    """To blue at once."""
    STEPWISE = "stepwise"
    """Step by step."""


class FirstSteps(StrEnum):
    """Steps of a first deployment, which has no blue for the rest of the traffic."""

    ALL = "all"
    """All steps of the strategy."""
    ONE = "one"


class RollbackTestWeights(StrEnum):
    """Test traffic weights in the event of TEST_TRAFFIC_SHIFT during a rollback."""

    BLUE = "blue"
    """All on blue, as documented for the production traffic."""
    EMPTY = "empty"


class AlarmsWatched(StrEnum):
    """When ECS starts watching the alarms of the deployment configuration."""

    DEPLOYMENT = "deployment"
    """At the beginning of the deployment."""
    PRODUCTION = "production"
    """At the first shift of production traffic."""


class FirstWeights(StrEnum):
    """Traffic weights in the events of a first deployment, which has no blue."""

    SINGLE_KEY = "single-key"
    EMPTY = "empty"


class Numbers(StrEnum):
    """JSON type of the weights."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"


class Retries(StrEnum):
    """How often ECS retries a function that raised or could not be invoked."""

    NONE = "none"
    ONCE = "once"


class Delivery(StrEnum):
    """How often one invocation is delivered."""

    ONCE = "once"
    TWICE = "twice"
    """ECS uses the first response."""


class Siblings(StrEnum):
    """What happens to the other hooks of a stage when one fails."""

    AWAITED = "awaited"
    """The stage ends when all are complete."""
    ABANDONED = "abandoned"


class AbsentDetails(StrEnum):
    """`hookDetails` in the event if there are none."""

    OMITTED = "omitted"
    NULL = "null"


class InvalidDelay(StrEnum):
    """The effect of a `callBackDelay` that is not a positive number of seconds, or exceeds a day."""

    DEFAULT = "default"
    """30 seconds, as without one."""
    FAILED = "failed"


class Abort(StrEnum):
    """The effect of the stop type ABORT of `StopServiceDeployment`, which the API has, but does not describe."""

    REFUSED = "refused"
    STOPPED = "stopped"


class ResolvedConfiguration(StrEnum):
    """When `DescribeServiceRevisions` contains the target group of a revision."""

    WITH_TASKS = "with-tasks"
    """While it has tasks."""
    ALWAYS = "always"


class UndocumentedOptions:
    """Base of dataclasses whose fields are enumerations, each with the likeliest value as its default."""

    @property
    def name(self) -> str:
        """The options that differ from the default, such as `numbers=float`; `default` if none does."""
        default = type(self)()
        changed = [
            f"{each.name}={getattr(self, each.name)}"
            for each in self._options()
            if getattr(self, each.name) != getattr(default, each.name)
        ]
        return ",".join(changed) or "default"

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return the default, then every variant that differs from it in one option: parameters for a test."""
        default = cls()
        others = [
            cls(**{each.name: value})
            for each in cls._options()
            for value in type(getattr(default, each.name))
            if value is not getattr(default, each.name)
        ]
        return (default, *others)

    @classmethod
    def read(cls, options: Iterable[str]) -> Self:
        """Parse texts such as `numbers=float`.

        Raises
        ------
        ValueError
            If a name or a value is unknown; the message lists the known ones.
        """
        default = cls()
        kinds: dict[str, type[StrEnum]] = {each.name: type(getattr(default, each.name)) for each in cls._options()}
        chosen = {}
        for option in options:
            name, _, value = option.partition("=")
            if name not in kinds:
                raise ValueError(f"{option}: unknown option; known names: {', '.join(kinds)}")
            if value not in list(kinds[name]):
                raise ValueError(
                    f"{option}: unknown value; {name} can be {', '.join(str(each) for each in kinds[name])}"
                )
            chosen[name] = kinds[name](value)
        return cls(**chosen)

    @classmethod
    def _options(cls) -> tuple[Field[Any], ...]:
        return fields(cls)  # type: ignore[arg-type] # subclasses are dataclasses


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsBehaviour(UndocumentedOptions):
    """What ECS does where its documentation says nothing (docs/contract.md, sections 2 to 5, [UNK])."""

    hook_details_merge: Merge = Merge.SHALLOW
    execution_id: ExecutionId = ExecutionId.STABLE
    hook_identity: HookIdentity = HookIdentity.PER_STAGE
    rollback_details: RollbackDetails = RollbackDetails.KEPT
    rollback_invocation: RollbackInvocation = RollbackInvocation.REACHED
    rollback_failure: RollbackFailure = RollbackFailure.ROLLBACK_FAILED
    shift_order: ShiftOrder = ShiftOrder.HOOK_AFTER
    step_weights: StepWeights = StepWeights.BEFORE
    step_rollback: StepRollback = StepRollback.JUMP
    rollback_test_weights: RollbackTestWeights = RollbackTestWeights.BLUE
    first_steps: FirstSteps = FirstSteps.ALL
    first_weights: FirstWeights = FirstWeights.SINGLE_KEY
    alarms_watched: AlarmsWatched = AlarmsWatched.DEPLOYMENT
    numbers: Numbers = Numbers.INT
    retries: Retries = Retries.NONE
    delivery: Delivery = Delivery.ONCE
    siblings: Siblings = Siblings.AWAITED
    absent_details: AbsentDetails = AbsentDetails.OMITTED
    invalid_delay: InvalidDelay = InvalidDelay.DEFAULT
    abort: Abort = Abort.REFUSED
    resolved_configuration: ResolvedConfiguration = ResolvedConfiguration.WITH_TASKS
