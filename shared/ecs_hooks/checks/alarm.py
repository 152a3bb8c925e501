"""The alarm check: no CloudWatch alarm is in ALARM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ecs_hooks.aws.cloudwatch import DESCRIBE_ALARMS, Alarm, describe_alarms
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS

Policy = Literal["fail", "wait", "ignore"]


def _check_name(name: str) -> str:
    if name.startswith("arn:"):
        raise ValueError("must be the name of an alarm, which is the last part of its ARN, not the ARN")
    if any(character < " " or character == "\x7f" for character in name):
        raise ValueError("must not contain control characters")
    return name


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_check_name)]


class AlarmCheck(Check):
    """Reads the state of CloudWatch alarms, metric alarms and composite alarms alike.

    Without `names` and `prefix` these are the alarms of the service's deployment configuration. ECS watches those, too, but
    not if one of them "is in ALARM state at the beginning" of the deployment (ECS developer guide).

    An alarm that was in ALARM before the deployment began has another cause than green: `already_alarming` is the policy
    for it, and the reason names it.
    """

    type: Literal["alarm"] = "alarm"
    names: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Names of alarms, all of which must exist."""
    prefix: Annotated[str, Field(max_length=255), AfterValidator(_check_name)] = ""
    """Prefix of the names of alarms, in place of `names`."""
    already_alarming: Policy = "fail"
    """Policy for an alarm that was in ALARM before the deployment began: fail, wait until it is not, or ignore it."""
    insufficient_data: Policy = "wait"
    """Policy for an alarm in INSUFFICIENT_DATA."""

    @model_validator(mode="after")
    def _has_names_or_prefix(self) -> AlarmCheck:
        if self.names and self.prefix:
            raise ValueError("give one of names and prefix")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(actions=frozenset({DESCRIBE_ALARMS, DESCRIBE_DEPLOYMENTS}))

    def run(self, context: CheckContext) -> Outcome:
        """Read the alarms, and evaluate their states."""
        names = self.names or (() if self.prefix else context.deployment.alarm_names)
        if not names and not self.prefix:
            return Outcome.skip("neither the check nor the deployment configuration names an alarm")
        found = self._describe(context, names)
        missing = sorted(set(names) - {alarm.name for alarm in found})
        if missing:
            return Outcome.failed(f"not found in CloudWatch: {_named(missing)}")
        if not found:
            return Outcome.failed(f"not found in CloudWatch: an alarm whose name begins with {self.prefix}")
        return self._evaluate(context, found)

    def _evaluate(self, context: CheckContext, found: list[Alarm]) -> Outcome:
        alarming = [alarm for alarm in found if alarm.state == "ALARM"]
        began = context.deployment.started_at if alarming else 0.0
        before = [alarm for alarm in alarming if alarm.since is not None and alarm.since < began]
        since = [alarm.name for alarm in alarming if alarm not in before]
        unknown = [alarm for alarm in found if alarm.state not in {"ALARM", "OK"}]
        evidence = {"alarms": len(found), "alarming": len(alarming), "insufficient_data": len(unknown)}
        if since:
            return Outcome.failed(f"{_named(since)} in ALARM", evidence)
        for policy in ("fail", "wait"):
            for each, chosen, state, field in (
                (before, self.already_alarming, "in ALARM since before the deployment", "already_alarming"),
                (unknown, self.insufficient_data, "in INSUFFICIENT_DATA", "insufficient_data"),
            ):
                if each and chosen == policy:
                    # The deployment may be the fix for the alarm, so say how to let it pass.
                    reason = f"{_named([alarm.name for alarm in each])} {state} (to pass, set {field} to ignore)"
                    return Outcome.failed(reason, evidence) if policy == "fail" else Outcome.wait(reason, evidence)
        ignored = [alarm.name for alarm in before + unknown]
        summary = f"{counted(len(found) - len(ignored), 'alarm')} not in ALARM"
        return Outcome.passed(summary + (f", {_named(ignored)} ignored" if ignored else ""), evidence)

    def _describe(self, context: CheckContext, names: Sequence[str]) -> list[Alarm]:
        """Return the alarms. One DescribeAlarms call serves all checks of the plan that have names."""
        facts, region = context.deployment.facts, context.region
        if self.prefix:
            return facts.get(f"alarms {self.prefix}", lambda: describe_alarms(region, prefix=self.prefix))
        wanted = {name for check in context.checks if isinstance(check, AlarmCheck) for name in check.names}
        if not wanted.issuperset(names):  # from the deployment configuration, or the check is not in the plan
            wanted = set(names)
        found = facts.get(f"alarms of {sorted(wanted)}", lambda: describe_alarms(region, names=sorted(wanted)))
        return [alarm for alarm in found if alarm.name in names]


def _named(names: Sequence[str]) -> str:
    return f"alarm{'' if len(names) == 1 else 's'} {listed(names, 5, ', ', ' and ')}"
