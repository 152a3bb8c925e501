"""Options for the behaviour that AWS does not document.

A hook must work with all of them. `EcsBehaviour()` is the most likely behaviour. `EcsBehaviour.variants()` has each
alternative, so that a test can play a deployment under every one.

Example
-------
>>> EcsBehaviour(hook_details_merge="replace").name
'hook_details_merge=replace'
>>> EcsBehaviour.variants()[1].name
'hook_details_merge=deep'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_type_hints

Merge = Literal["shallow", "deep", "replace"]
Numbers = Literal["int", "float", "string"]


class UndocumentedOptions:
    """Base of dataclasses whose fields are literals, each with the most likely value first and as its default."""

    @property
    def name(self) -> str:
        """The options that differ from the default, such as `numbers=float`; `default` if none does."""
        changed = [
            f"{name}={getattr(self, name)}"
            for name, values in self._values().items()
            if getattr(self, name) != values[0]
        ]
        return ",".join(changed) or "default"

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return the default, then every variant that differs from it in one option: parameters for a test."""
        others: list[dict[str, Any]] = [{name: value} for name, values in cls._values().items() for value in values[1:]]
        return (cls(), *(cls(**option) for option in others))

    @classmethod
    def read(cls, options: Iterable[str]) -> Self:
        """Parse texts such as `numbers=float`.

        Raises
        ------
        ValueError
            If a name or a value is unknown; the message lists the known ones.
        """
        known = cls._values()
        chosen: dict[str, Any] = {}
        for option in options:
            name, _, value = option.partition("=")
            if name not in known:
                raise ValueError(f"{option}: unknown option; known names: {', '.join(known)}")
            if value not in known[name]:
                raise ValueError(f"{option}: unknown value; {name} can be {', '.join(known[name])}")
            chosen[name] = value
        return cls(**chosen)

    @classmethod
    def _values(cls) -> Mapping[str, Sequence[str]]:
        return {name: get_args(kind) for name, kind in get_type_hints(cls).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsBehaviour(UndocumentedOptions):
    """What ECS does where its documentation says nothing (docs/contract.md, sections 2 to 5, [UNK])."""

    hook_details_merge: Merge = "shallow"
    """How ECS merges returned `hookDetails` into the present ones: by top-level keys, at every level, or not at all."""
    execution_id: Literal["stable", "new"] = "stable"
    """`executionId` of the next invocation after IN_PROGRESS."""
    hook_identity: Literal["per-stage", "per-hook", "per-step"] = "per-stage"
    """Which invocations of a hook share their `hookDetails`: those at one stage, at all stages, or at one traffic step."""
    rollback_details: Literal["kept", "configured"] = "kept"
    """`hookDetails` when a rollback invokes a hook again; `configured` are only those that the service configures."""
    rollback_invocation: Literal["reached", "always"] = "reached"
    """Which traffic shift stages a rollback invokes again: those that the deployment has reached, or both."""
    rollback_failure: Literal["rollback-failed", "ignored"] = "rollback-failed"
    """The effect of a hook that fails during a rollback."""
    shift_order: Literal["hook-after", "hook-before"] = "hook-after"
    """Whether the hooks of a traffic shift stage run after the shift or before it."""
    step_weights: Literal["before", "after"] = "before"
    """Weights in the events of PRE_PRODUCTION_TRAFFIC_SHIFT: before the step, as documented for BLUE_GREEN, or after it."""
    step_rollback: Literal["jump", "stepwise"] = "jump"
    """How a rollback shifts the production traffic of a linear or canary deployment to blue."""
    rollback_test_weights: Literal["blue", "empty"] = "blue"
    """Test traffic weights in the event of TEST_TRAFFIC_SHIFT during a rollback: all on blue, or none."""
    first_steps: Literal["all", "one"] = "all"
    """Traffic steps of a first deployment, which has no blue for the rest of the traffic."""
    first_weights: Literal["single-key", "empty"] = "single-key"
    """Traffic weights in the events of a first deployment."""
    alarms_watched: Literal["deployment", "production"] = "deployment"
    """When ECS starts to watch alarms: at the beginning of the deployment, or at the first production traffic shift."""
    numbers: Numbers = "int"
    """JSON type of the weights."""
    retries: Literal["none", "once"] = "none"
    """How often ECS retries a function that raised or could not be invoked."""
    delivery: Literal["once", "twice"] = "once"
    """How often one invocation is delivered; ECS uses the first response."""
    siblings: Literal["awaited", "abandoned"] = "awaited"
    """What happens to the other hooks of a stage when one fails."""
    absent_details: Literal["omitted", "null"] = "omitted"
    """`hookDetails` in the event if there are none."""
    invalid_delay: Literal["default", "failed"] = "default"
    """The effect of a `callBackDelay` that is not a positive number of seconds, or exceeds a day."""
    abort: Literal["refused", "stopped"] = "refused"
    """The effect of the stop type ABORT of `StopServiceDeployment`, which the API has, but does not describe."""
    resolved_configuration: Literal["with-tasks", "always"] = "with-tasks"
    """When `DescribeServiceRevisions` contains the target group of a revision."""
