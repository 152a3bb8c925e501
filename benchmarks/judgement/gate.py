"""Plays a check of the library, invocation by invocation, as ECS would."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from benchmarks.events import ROOT
from benchmarks.judgement.drawing import Drawn
from benchmarks.judgement.in_process_aws import BEGAN, DrawnMetrics, InProcessAws
from ecs_hooks.checks import Check, CheckContext, ComparisonCheck, GoldenSignalsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.target import Target

_STAGE = "PRODUCTION_TRAFFIC_SHIFT"
_LONGEST = 35 * 60
"""Seconds after which a check without a verdict times out."""
_TYPES: dict[str, type[Check]] = {"comparison": ComparisonCheck, "golden_signals": GoldenSignalsCheck}

REFUSED = "REFUSED"
"""The status of settings that the plan's validation refuses."""
UNDECIDED = "UNDECIDED"
"""The status of a check that failed because it had too few data."""


class Verdict(NamedTuple):
    """The verdict of a gate.

    Parameters
    ----------
    status
        `PASS`, `FAIL`, `SKIP`, `UNDECIDED`, `REFUSED` or, without a verdict, `WAIT`.
    minutes
        From the step to the verdict.
    reason
        The reason of the check.
    """

    status: str
    minutes: float
    reason: str


class Gate:
    """A step of a canary deployment, with its metrics.

    Parameters
    ----------
    drawn
        The requests.
    green_percent
        Green's share of the traffic.
    seed
        Moves the minute at which the step begins, and so the alignment of longer periods.
    """

    def __init__(self, drawn: Drawn, green_percent: float, seed: int) -> None:
        began = BEGAN + 60 * (seed % 60)
        self._began = began
        self._stepped = began - drawn.offset
        self._percent = green_percent
        self.metrics = DrawnMetrics(drawn, began)
        self._aws = InProcessAws(self.metrics, self._stepped, green_percent)

    def series(self, name: str, stat: str, group: str, minutes: int) -> dict[float, float]:
        """Return the datapoints of a metric over the first minutes of the window, by minute."""
        metric = {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": name,
            "Dimensions": [{"Name": "TargetGroup", "Value": group}],
        }
        end = self._began + 60 * minutes
        with clock.use(lambda: end):
            found = self.metrics.measure_stat({"Metric": metric, "Period": 60, "Stat": stat}, self._began, end)
        return {(stamp - self._began) / 60: value for stamp, value in found.items()}

    def play(self, settings: str) -> Verdict:
        """Run a check until it has a verdict.

        Parameters
        ----------
        settings
            The check in a plan, as JSON.
        """
        check = _check(settings)
        if isinstance(check, str):
            return Verdict(REFUSED, 0, check)
        elapsed, facts = 0.0, Facts()
        with self._aws.answering():
            while True:
                now = self._stepped + elapsed
                with clock.use(lambda now=now: now):  # type: ignore[misc] # mypy does not infer the default's type
                    outcome, facts = self._invoke(check, elapsed, facts)
                if outcome.status not in {Status.WAIT, Status.ERROR} or elapsed >= _LONGEST:
                    return Verdict(_status(outcome), elapsed / 60, outcome.reason)
                elapsed += outcome.retry_after or 30

    def _invoke(self, check: Check, elapsed: float, facts: Facts) -> tuple[Outcome, Facts]:
        known = Facts(facts.dump())
        target = Target(_STAGE, lambda: ServiceDeployment(_event(), known))
        context = CheckContext(target, Deadline.after(60), elapsed, (check,), self._percent)
        return check.run(context), known


def _status(outcome: Outcome) -> str:
    undecided = outcome.evidence.get("unknown_metrics") or "too few" in outcome.reason
    return UNDECIDED if outcome.status is Status.FAIL and undecided else str(outcome.status)


@lru_cache
def _check(settings: str) -> Check | str:
    """Return a check, or why its settings are refused."""
    fields: dict[str, Any] = json.loads(settings)
    try:
        return TypeAdapter(_TYPES[fields["type"]]).validate_python(fields)
    except ValidationError as error:
        return str(error.errors()[0]["msg"])


@lru_cache
def _event() -> LifecycleEvent:
    return LifecycleEvent.parse(json.loads((ROOT / "events" / "production_traffic_shift.json").read_text()))
