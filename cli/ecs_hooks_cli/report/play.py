"""One deployment of a play, with everything that was recorded of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks_simulator.core.timeline import DeploymentCreated, Record, StageEntered, TrafficShifted

if TYPE_CHECKING:
    from ecs_hooks_cli.common.played import Played
    from ecs_hooks_simulator.core.protocols import Deployed
    from ecs_hooks_simulator.traffic.load_balancer import Forwarded

Weights = Mapping[str, float]
"""Per cent of a listener's traffic by service revision ARN."""


class Moment(NamedTuple):
    """When something happened.

    Parameters
    ----------
    time
        Seconds since the deployment was made, on the simulation's clock.
    part
        How many stages had begun by then: in virtual time several begin at once, so that the time alone does not tell.
    """

    time: float
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One deployment of a play.

    Parameters
    ----------
    name, expected
        What it is called, and how it should have ended.
    deployment
        The deployment, over.
    happened
        Its records with their moments, in order.
    weights
        Weights by listener when it began.
    requests
        What the load balancer forwarded meanwhile, through both listeners.
    """

    name: str
    expected: str
    deployment: Deployed
    happened: Sequence[tuple[Moment, Record]]
    weights: Mapping[str, Weights]
    requests: Sequence[Forwarded]

    @property
    def green(self) -> str:
        """ARN of the new revision."""
        return self.deployment.target.arn

    @property
    def blue(self) -> str:
        """ARN of the revision that served before; empty on a first deployment."""
        return self.deployment.sources[0].arn if self.deployment.sources else ""

    @property
    def seconds(self) -> float:
        """How long it lasted, on the simulation's clock."""
        last = max((moment.time for moment, _ in self.happened), default=0.0)
        return max(last, (self.deployment.finished_at or 0.0) - self.deployment.created_at)

    def colour(self, revision: str) -> str:
        """Return what a revision is in this deployment: `green`, `blue`, or one of the `other` ones."""
        return {self.green: "green", self.blue: "blue"}.get(revision, "other")


def plays_of(played: Sequence[Played], records: Sequence[Record]) -> list[Play]:
    """Sort what was recorded by deployment.

    Parameters
    ----------
    played
        The deployments.
    records
        The records of all of them, in order.
    """
    return [_play(each, records) for each in played]


def _play(played: Played, records: Sequence[Record]) -> Play:
    arn = played.deployment.arn
    before: dict[str, Weights] = {}
    for record in takewhile(lambda record: record.deployment != arn, records):
        if isinstance(record, TrafficShifted):
            before[record.listener] = record.weights
    # CodeDeploy rolls back by another deployment.
    back = {each.deployment for each in records if isinstance(each, DeploymentCreated) and each.rolls_back == arn}
    own = [record for record in records if record.deployment in {arn, *back}]
    return Play(
        name=played.name,
        expected=played.expected,
        deployment=played.deployment,
        happened=list(_with_moments(own, played.deployment.created_at)),
        weights=before,
        requests=played.requests,
    )


def _with_moments(records: Sequence[Record], began: float) -> Iterator[tuple[Moment, Record]]:
    part = 0
    for record in records:
        part += isinstance(record, StageEntered)
        yield Moment(record.time - began, part), record
