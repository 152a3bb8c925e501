"""Users of a simulated service whose requests are drawn and not made: thousands a minute cost milliseconds.

The load balancer notes each of them as if it had forwarded it, by the weights of its production listener, so that
CloudWatch's metrics tell of them. Nobody answers: what a revision would have done stands in its settings.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from ecs_hooks_simulator.canaries.performance import Performance
from ecs_hooks_simulator.core.timeline import Record, TrafficShifted
from ecs_hooks_simulator.traffic.load_balancer import Forwarded
from ecs_hooks_simulator.traffic.users import PERIOD

if TYPE_CHECKING:
    from ecs_hooks_simulator.ecs.controller import DeploymentController
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What makes all revisions slower and quicker together: the hour, and the neighbours.

    Parameters
    ----------
    wave_percent, wave_minutes
        How far latencies rise and fall in a slow wave, and how long one lasts.
    noise_percent
        How much a minute differs from the next besides: the standard deviation.
    """

    wave_percent: float = 15.0
    wave_minutes: float = 60.0
    noise_percent: float = 5.0

    def factor(self, seed: int, minute: int) -> float:
        """Return by what latencies are multiplied in a minute, counted from the epoch; the same for the same seed."""
        phase = Random(f"{seed} wave").random()  # noqa: S311 - a drawing that can be repeated
        noise = Random(f"{seed} noise {minute}").gauss(0, self.noise_percent / 100)  # noqa: S311
        wave = self.wave_percent / 100 * math.sin(2 * math.pi * (phase + minute / self.wave_minutes))
        return math.exp(wave + noise)


class DrawnUsers:
    """Draws the requests of the production listener during deployments.

    The same seed draws the same requests, as long as traffic is shifted at the same times.

    Parameters
    ----------
    balancer
        Notes the requests.
    controller
        Whose deployments. How a revision answers is its setting `performance`, a `Performance`; the default one without.
    requests_per_minute
        How many there are, of all revisions.
    seed
        Of everything that is drawn.
    load
        What all revisions have in common.
    """

    def __init__(
        self,
        balancer: LoadBalancer,
        controller: DeploymentController,
        *,
        requests_per_minute: float,
        seed: int = 0,
        load: Load | None = None,
    ) -> None:
        self._balancer = balancer
        self._controller = controller
        self._requests_per_minute = requests_per_minute
        self._seed = seed
        self._load = load or Load()
        self._drawing = threading.Lock()
        self._since = controller.clock.now()
        self._weights = balancer.weights("production")
        controller.timeline.subscribe(self._record)
        controller.every(PERIOD, self.visit)

    def visit(self, *_: object) -> None:
        """Draw the requests of the time since the last visit."""
        with self._drawing:
            self._draw(self._controller.clock.now())

    def _record(self, record: Record) -> None:
        # Up to a shift of traffic the weights are the old ones, whenever in a minute it comes.
        if isinstance(record, TrafficShifted) and record.listener == "production":
            with self._drawing:
                self._draw(record.time)
                self._weights = record.weights

    def _draw(self, until: float) -> None:
        while self._since < until:
            end = min(until, 60.0 * (self._since // 60 + 1))
            requests = [each for revision in self._weights for each in self._requests(revision, end)]
            self._balancer.note(*sorted(requests))
            self._since = end

    def _requests(self, revision: str, end: float) -> Iterator[Forwarded]:
        """Draw those of a revision from the last visit to a moment of the same minute."""
        known = [each.arn for each in self._controller.revisions].index(revision)
        # By its number: the identifiers of revisions are others in each run.
        random = Random(f"{self._seed} {self._since} {known}")  # noqa: S311 - as above
        seconds = end - self._since
        count = int(self._weights[revision] / 100 * self._requests_per_minute * seconds / 60 + random.random())
        performance: Performance = self._controller.revisions[known].settings.get("performance", Performance())
        factor = self._load.factor(self._seed, int(self._since // 60))
        for number, (status, took) in enumerate(performance.answers(random, count)):
            ended = self._since + seconds * (number + random.random()) / count
            yield Forwarded(ended, "production", revision, status, took * factor)
