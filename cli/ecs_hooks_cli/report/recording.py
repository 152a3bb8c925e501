"""Recorded deployments: the records of the timeline and, in order among them, the outcomes of checks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, ClassVar, NamedTuple

from ecs_hooks_cli.common.text import cut
from ecs_hooks_simulator.core.protocols import Deployed
from ecs_hooks_simulator.core.timeline import (
    DeploymentCreated,
    HookAnswered,
    HookInvoked,
    Record,
    StageEntered,
    TrafficShifted,
)
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

Weights = Mapping[str, float]
"""Percentage of a listener's traffic by service revision ARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswered(Record):
    """The outcome of a check.

    `hook` is empty where several functions were running, since a log line does not name its function. `seconds` is the
    duration on this machine's clock, None where the check did not run. `evidence` has only numbers.
    """

    kind: ClassVar[str] = "check-answered"
    stage: str
    hook: str
    check: str
    status: str
    reason: str
    seconds: float | None
    evidence: Mapping[str, float]


class Recorder:
    """A view that keeps all records and outcomes, in order, in `records`."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._running: dict[str, HookInvoked] = {}

    def record(self, record: Record) -> None:
        """Keep a record."""
        if isinstance(record, HookInvoked):
            self._running[record.hook_id] = record
        elif isinstance(record, HookAnswered):
            self._running.pop(record.hook_id, None)
        self.records.append(record)

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Keep the outcome of a check."""
        stage, status, check = (str(outcome[name]) for name in ("stage", "outcome", "check"))
        hooks = {each.target for each in self._running.values() if each.stage == stage}
        milliseconds = outcome["duration_ms"]
        self.records.append(
            CheckAnswered(
                time=outcome["time"],
                deployment=str(outcome["deployment"]),
                stage=stage,
                hook=hooks.pop() if len(hooks) == 1 else "",
                check=check,
                status=status,
                reason=cut(str(outcome["message"]).removeprefix(f"{status} ").removeprefix(check).strip()),
                seconds=None if milliseconds is None else milliseconds / 1000,
                evidence=_numbers(outcome["evidence"] or {}),
            )
        )


class Played(NamedTuple):
    """A finished deployment, the expected end, and the requests that its load balancer forwarded meanwhile."""

    name: str
    deployment: Deployed
    expected: str
    requests: Sequence[Forwarded] = ()

    @property
    def as_expected(self) -> bool:
        """Whether it ended as expected."""
        return str(self.deployment.outcome) == self.expected

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        return {
            "kind": "summary",
            "name": self.name,
            "deployment": self.deployment.arn,
            "status": str(self.deployment.status),
            "outcome": str(self.deployment.outcome),
            "statusReason": self.deployment.status_reason,
            "expected": self.expected,
            "asExpected": self.as_expected,
        }


class Moment(NamedTuple):
    """Time of a record: seconds since the start of the deployment on the simulation's clock, and the number of stages by then.

    Seconds alone are ambiguous: in virtual time several stages begin in the same second.
    """

    time: float
    stage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A finished deployment with its records, the weights of both listeners at its start, and its requests."""

    name: str
    expected: str
    deployment: Deployed
    records: Sequence[tuple[Moment, Record]]
    weights: Mapping[str, Weights]
    requests: Sequence[Forwarded]

    @property
    def green(self) -> str:
        """ARN of the new revision."""
        return self.deployment.target.arn

    @property
    def blue(self) -> str:
        """ARN of the previous revision; empty in a first deployment."""
        return self.deployment.sources[0].arn if self.deployment.sources else ""

    @property
    def seconds(self) -> float:
        """Duration on the simulation's clock."""
        last = max((moment.time for moment, _ in self.records), default=0.0)
        return max(last, (self.deployment.finished_at or 0.0) - self.deployment.created_at)

    def colour(self, revision: str) -> str:
        """Return the role of a revision: `green`, `blue` or `other`."""
        return {self.green: "green", self.blue: "blue"}.get(revision, "other")


def plays_of(played: Sequence[Played], records: Sequence[Record]) -> list[Play]:
    """Return the deployments, each with its own ones of the records of all."""
    return [_play(each, records) for each in played]


def _play(played: Played, records: Sequence[Record]) -> Play:
    arn = played.deployment.arn
    before: dict[str, Weights] = {}
    for record in takewhile(lambda record: record.deployment != arn, records):
        if isinstance(record, TrafficShifted):
            before[record.listener] = record.weights
    # CodeDeploy rolls back with another deployment.
    back = {each.deployment for each in records if isinstance(each, DeploymentCreated) and each.rolls_back == arn}
    own = [record for record in records if record.deployment in {arn, *back}]
    return Play(
        name=played.name,
        expected=played.expected,
        deployment=played.deployment,
        records=list(_with_moments(own, played.deployment.created_at)),
        weights=before,
        requests=played.requests,
    )


def _with_moments(records: Sequence[Record], began: float) -> Iterator[tuple[Moment, Record]]:
    stages = 0
    for record in records:
        stages += isinstance(record, StageEntered)
        yield Moment(record.time - began, stages), record


def _numbers(evidence: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite numbers of the evidence, which can be drawn."""
    return {
        name: value
        for name, value in evidence.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
