"""What AWS does not document about lifecycle hooks, as switches.

A hook has to survive all of it. `Behaviour()` is the likeliest reading; `Behaviour.variants()` has one behaviour for
each other reading, so that a test can play a deployment under every one of them.

Example
-------
>>> len({variant.name for variant in Behaviour.variants()}) == len(Behaviour.variants())
True
>>> Behaviour(hook_details_merge=Merge.REPLACE).hook_details_merge
<Merge.REPLACE: 'replace'>
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from typing import Any, Self


class Merge(StrEnum):
    """How returned `hookDetails` are merged into the present ones."""

    SHALLOW = "shallow"
    """Top-level keys replace top-level keys."""
    DEEP = "deep"
    """Objects are merged at every level."""
    REPLACE = "replace"
    """What was returned is all there is."""


class ExecutionId(StrEnum):
    """`executionId` when a hook is invoked again after IN_PROGRESS."""

    STABLE = "stable"
    NEW = "new"


class HookIdentity(StrEnum):
    """What "the same hook" is for whom `hookDetails` are kept."""

    PER_STAGE = "per-stage"
    """A hook that is registered at two stages counts as two."""
    PER_HOOK = "per-hook"
    """It counts as one."""
    PER_STEP = "per-step"
    """It counts anew at each step of a linear or canary deployment, too."""


class RollbackDetails(StrEnum):
    """`hookDetails` when a rollback invokes a hook again."""

    KEPT = "kept"
    CONFIGURED = "configured"
    """Only what the service configures."""


class RollbackInvocation(StrEnum):
    """Which of the two traffic shift stages a rollback invokes again."""

    REACHED = "reached"
    """Those that the deployment had come to."""
    ALWAYS = "always"
    """Both, even if the failure came before the shift."""


class RollbackFailure(StrEnum):
    """What a hook that fails during a rollback does."""

    ROLLBACK_FAILED = "rollback-failed"
    IGNORED = "ignored"


class ShiftOrder(StrEnum):
    """When the hooks of a traffic shift stage run."""

    HOOK_AFTER = "hook-after"
    """The weights are already rewritten."""
    HOOK_BEFORE = "hook-before"


class StepWeights(StrEnum):
    """Traffic weights in the events of PRE_PRODUCTION_TRAFFIC_SHIFT."""

    BEFORE = "before"
    """Those before the step, as documented for BLUE_GREEN."""
    AFTER = "after"
    """Those that the step will lead to."""


class StepRollback(StrEnum):
    """How the production traffic goes back from a step of a linear or canary deployment."""

    JUMP = "jump"
    """To blue at once."""
    STEPWISE = "stepwise"
    """Step by step, as it came."""


class FirstSteps(StrEnum):
    """Whether a first deployment, which has no blue to leave the rest of the traffic to, goes in steps."""

    ALL = "all"
    """In all steps of the strategy."""
    ONE = "one"
    """In one."""


class RollbackTestWeights(StrEnum):
    """Weights of the test traffic in the event with which a rollback invokes TEST_TRAFFIC_SHIFT again."""

    BLUE = "blue"
    """All on blue, as documented for the production traffic."""
    EMPTY = "empty"


class AlarmsWatched(StrEnum):
    """From when on ECS watches the alarms of the deployment configuration."""

    DEPLOYMENT = "deployment"
    """From the beginning of the deployment."""
    PRODUCTION = "production"
    """From the first shift of production traffic."""


class FirstWeights(StrEnum):
    """Traffic weights in the events of a first deployment, which has no blue."""

    SINGLE_KEY = "single-key"
    EMPTY = "empty"


class Numbers(StrEnum):
    """How weights are written."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"


class Retries(StrEnum):
    """Whether ECS invokes a function again that raised or could not be invoked."""

    NONE = "none"
    ONCE = "once"


class Delivery(StrEnum):
    """How often one invocation arrives."""

    ONCE = "once"
    TWICE = "twice"
    """The answer of the first counts."""


class Siblings(StrEnum):
    """What becomes of the other hooks of a stage when one has failed."""

    AWAITED = "awaited"
    """The stage ends when all are complete."""
    ABANDONED = "abandoned"


class AbsentDetails(StrEnum):
    """`hookDetails` in the event where there are none."""

    OMITTED = "omitted"
    NULL = "null"


class InvalidDelay(StrEnum):
    """What a `callBackDelay` does that is no positive number of seconds, or longer than a day."""

    DEFAULT = "default"
    """30 seconds, as if it was not there."""
    FAILED = "failed"


class Abort(StrEnum):
    """What `StopServiceDeployment` does with the stop type ABORT, which is in the API and not in its text."""

    REFUSED = "refused"
    STOPPED = "stopped"


class ResolvedConfiguration(StrEnum):
    """From when on `DescribeServiceRevisions` says which target group a revision uses."""

    WITH_TASKS = "with-tasks"
    """While it has tasks."""
    ALWAYS = "always"


class Switches:
    """A dataclass whose fields are enumerations, each with the likeliest value as its default."""

    @property
    def name(self) -> str:
        """The switches that differ from the default, such as `numbers=float`; `default` where none does."""
        default = type(self)()
        changed = [
            f"{switch.name}={getattr(self, switch.name)}"
            for switch in self._switches()
            if getattr(self, switch.name) != getattr(default, switch.name)
        ]
        return ",".join(changed) or "default"

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return the default, then every behaviour that differs from it in one switch: parameters for a test."""
        default = cls()
        others = [
            cls(**{switch.name: value})
            for switch in cls._switches()
            for value in type(getattr(default, switch.name))
            if value is not getattr(default, switch.name)
        ]
        return (default, *others)

    @classmethod
    def read(cls, switches: Iterable[str]) -> Self:
        """Make a behaviour of texts such as `numbers=float`.

        Raises
        ------
        ValueError
            If there is no such switch, or it has no such value; the message names those that there are.
        """
        default = cls()
        kinds: dict[str, type[StrEnum]] = {each.name: type(getattr(default, each.name)) for each in cls._switches()}
        chosen = {}
        for switch in switches:
            name, _, value = switch.partition("=")
            if name not in kinds:
                raise ValueError(f"{switch}: known names: {', '.join(kinds)}")
            if value not in list(kinds[name]):
                raise ValueError(f"{switch}: {name} can be {', '.join(str(each) for each in kinds[name])}")
            chosen[name] = kinds[name](value)
        return cls(**chosen)

    @classmethod
    def _switches(cls) -> tuple[Field[Any], ...]:
        return fields(cls)  # type: ignore[arg-type] # those that inherit are dataclasses


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour(Switches):
    """One way in which ECS may work where its documentation is silent (docs/contract.md, sections 2 to 5, [UNK])."""

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
