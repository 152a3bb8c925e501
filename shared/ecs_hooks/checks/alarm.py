"""The alarm check: no alarm is in ALARM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecs_hooks.aws.alarms import ACTION, Alarm, alarms
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS

Policy = Literal["fail", "wait", "ignore"]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class AlarmCheck(Check):
    """Asks CloudWatch for the state of alarms, metric and composite ones alike.

    Without `names` and `prefix` it asks for the alarms of the service's own deployment configuration. ECS watches those
    too, but not if one "is in ALARM state at the beginning" of the deployment (ECS developer guide).

    An alarm that was in ALARM already when the deployment began says nothing about green; it is named as such, and
    `already_alarming` says what it counts for.
    """

    type: Literal["alarm"] = "alarm"
    names: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Names of alarms. Each has to exist."""
    prefix: str = Field(default="", max_length=255)
    """What the names of alarms begin with, in place of `names`."""
    already_alarming: Policy = "fail"
    """What an alarm is that was in ALARM when the deployment began: a failure, something to wait for, or nothing."""
    insufficient_data: Policy = "wait"
    """What an alarm with INSUFFICIENT_DATA is."""

    @model_validator(mode="after")
    def _has_one_of_each(self) -> AlarmCheck:
        if self.names and self.prefix:
            raise ValueError("give one of names and prefix")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(actions=frozenset({ACTION, DEPLOYMENTS}))

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and judge."""
        names = self.names or (() if self.prefix else context.deployment.alarm_names)
        if not names and not self.prefix:
            return Outcome.skip("neither the check nor the deployment names an alarm")
        found = self._ask(context, names)
        missing = sorted(set(names) - {alarm.name for alarm in found})
        if missing:
            return Outcome.failed(f"CloudWatch knows no alarm {', '.join(missing)}")
        if not found:
            return Outcome.failed(f"CloudWatch knows no alarm whose name begins with {self.prefix}")
        return self._judge(context, found)

    def _judge(self, context: CheckContext, found: list[Alarm]) -> Outcome:
        alarming = [alarm for alarm in found if alarm.state == "ALARM"]
        before = self._before(context, alarming) if alarming else []
        since = [alarm for alarm in alarming if alarm not in before]
        unknown = [alarm for alarm in found if alarm.state not in {"ALARM", "OK"}]
        evidence = {"alarms": len(found), "alarming": len(alarming), "insufficient_data": len(unknown)}
        if since:
            return Outcome.failed(f"{_names(since)} in ALARM", evidence)
        for policy in ("fail", "wait"):
            for each, which, why, field in (
                (before, self.already_alarming, "in ALARM since before the deployment", "already_alarming"),
                (unknown, self.insufficient_data, "without enough data", "insufficient_data"),
            ):
                if each and which == policy:
                    # Whoever deploys the very fix for such an alarm has to know how.
                    reason = f"{_names(each)} {why} ({field}: ignore would let it pass)"
                    return Outcome.failed(reason, evidence) if policy == "fail" else Outcome.wait(reason, evidence)
        quiet = len(found) - len(before) - len(unknown)
        told = f"{counted(quiet, 'alarm')} not in ALARM"
        ignored = f", {_names(before + unknown)} ignored" if before or unknown else ""
        return Outcome.passed(f"{told}{ignored}", evidence)

    def _ask(self, context: CheckContext, names: Sequence[str]) -> list[Alarm]:
        """Return the alarms; one question to CloudWatch serves all checks of the plan that give names."""
        facts, region = context.deployment.facts, context.region

        if self.prefix:
            return facts.get(f"alarms {self.prefix}", lambda: alarms(region, prefix=self.prefix))
        asked = {name for check in context.checks if isinstance(check, AlarmCheck) for name in check.names}
        if not asked.issuperset(names):  # those of the deployment configuration, or a hook's own code has made it
            asked = set(names)
        together = facts.get(f"alarms of {sorted(asked)}", lambda: alarms(region, names=sorted(asked)))
        return [alarm for alarm in together if alarm.name in names]

    def _before(self, context: CheckContext, alarming: list[Alarm]) -> list[Alarm]:
        """Return the alarms that were in ALARM when the deployment began, by when they changed last."""
        began = context.deployment.started_at
        return [alarm for alarm in alarming if alarm.since is not None and alarm.since < began]


def _names(alarms: list[Alarm]) -> str:
    names = listed([alarm.name for alarm in alarms], 5, ", ", " and ")
    return f"alarm{'' if len(alarms) == 1 else 's'} {names}"
