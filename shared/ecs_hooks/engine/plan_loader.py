"""The plan of an invocation, from `hookDetails` or from the place that `hookDetails` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.core.deadline import run_with_deadline
from ecs_hooks.core.event import ORIGIN_IN_FUNCTION, ORIGINS_IN_EVENT
from ecs_hooks.plan.model import REFERENCE, Plan, PlanError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.engine.hook import Definition


class PlanLoader:
    """Loads the plan of an invocation.

    Parameters
    ----------
    definition
        The hook: its default checks, its stage, and whether it has code with fields of its own.
    event
        The event with `hookDetails`.
    until
        When a stored plan must have been fetched.

    Attributes
    ----------
    fields
        `hookDetails` without this library's state, and with the fields of a stored plan once it was fetched.
    origin
        Where the plan is from, for the log; empty until it was loaded.
    note
        The same for the reason; empty where a plan can be in one place only, and for a function with its own code.
    """

    def __init__(self, definition: Definition, event: HookEvent, until: Deadline) -> None:
        self._definition = definition
        self._event = event
        self._until = until
        self._own_fields_allowed = definition.function is not None
        self.fields = event.configuration or {}
        self.origin = self.note = ""

    def load(self) -> Plan:
        """Return the plan.

        Raises
        ------
        PlanError
            If it has mistakes, or none of its own and the default checks belong to another stage.
        FactError
            If AWS does not provide a stored plan.
        TimeoutError
            If it was not fetched in time.
        """
        defaults, own, deployed = self._definition.defaults, self._own_fields_allowed, self._event.deployed
        location = self.fields.get(REFERENCE)
        if location is not None:
            plan = self._fetched_plan()
        elif self._event.configuration is None:
            plan = Plan.parse(self._event.hook_details, defaults=defaults, own_fields_allowed=own)
        else:
            plan = Plan.parse(self.fields, defaults=defaults, own_fields_allowed=own, deployed=deployed)
        self.origin = self._origin(plan, location)
        is_expected = self._own_fields_allowed and not plan.explicit
        expected = {*ORIGINS_IN_EVENT, *([ORIGIN_IN_FUNCTION] if plan.explicit else [])}
        is_expected |= location is None and self._event.plan_origin in expected
        self.note = "" if is_expected else self.origin
        stage = self._definition.stage
        if stage not in {None, str(self._event.stage)} and not plan.explicit:
            problem = (
                f"this function has the default checks of {stage}, but ECS invoked it at {self._event.stage}; attach the "
                f"function of that stage, or name the checks in hookDetails.checks"
            )
            raise PlanError([problem])
        return plan

    def _origin(self, plan: Plan, location: str | None) -> str:
        found = location or self._event.plan_origin
        if plan.explicit:
            return f"plan {found}"
        if self._own_fields_allowed:
            return f"the function's own code, {found}"
        return f"default checks, since {found}{' has no checks' if self._event.configuration else ''}"

    def without_checks(self) -> Plan:
        """Return the policies in `hookDetails`, for an invocation that has no other plan.

        Raises
        ------
        PlanError
            If they have mistakes.
        """
        policies = {name: value for name, value in self.fields.items() if name != "checks"}
        return Plan.parse(policies, own_fields_allowed=self._own_fields_allowed, deployed=self._event.deployed)

    def _fetched_plan(self) -> Plan:
        from ecs_hooks.plan.source import fetched, reference_in  # noqa: PLC0415 - loaded where a plan is fetched

        own = self._own_fields_allowed
        reference = reference_in(self.fields, own_fields_allowed=own)
        assert reference is not None
        details, region = self.fields, self._event.region
        found = run_with_deadline(lambda: fetched(reference, details, region), self._until)
        self.fields = found.fields
        return found.plan(defaults=self._definition.defaults, own_fields_allowed=own, deployed=self._event.deployed)
