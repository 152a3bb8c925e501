"""Users whose requests are drawn at random instead of sent: thousands a minute cost milliseconds.

The load balancer adds each request to `forwarded`, by the weights of its production listener, so CloudWatch's metrics
contain them. The distribution of a revision's responses is one of its settings. It has a long tail: most requests take
the ordinary path, a few a slow one (a cache miss, a report, a lock); the times of both are log-normal.

Example
-------
>>> blue = Performance()
>>> round(blue.quantile(0.5), 3), round(blue.quantile(0.99), 3)
(0.082, 0.403)
>>> green = blue.slower_tail(1.3)
>>> round(green.quantile(0.5), 3), round(green.quantile(0.99), 3)
(0.082, 0.524)
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from statistics import NormalDist

from ecs_hooks_simulator.base_simulation import PERIOD
from ecs_hooks_simulator.core.timeline import Record, TrafficShifted
from ecs_hooks_simulator.ecs.controller import DeploymentController
from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer

_LONGEST = 3600.0
"""Seconds: above any quantile of a usable distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The distribution of a revision's response times, and its errors.

    Parameters
    ----------
    median, spread
        Ordinary requests: median in seconds, and standard deviation of its logarithm.
    slow_percent
        Share of the slow requests.
    slow_median, slow_spread
        Slow requests: the same as `median` and `spread`.
    error_percent
        Share of the requests with status 500.
    """

    median: float = 0.08
    spread: float = 0.4
    slow_percent: float = 5.0
    slow_median: float = 0.3
    slow_spread: float = 0.35
    error_percent: float = 0.0

    def answers(self, random: Random, count: int) -> Iterator[tuple[int, float]]:
        """Draw status and seconds of `count` responses."""
        slow, errors = self.slow_percent / 100, self.error_percent / 100
        # The inverse of the distribution takes a third of the time of `random.lognormvariate`.
        slow_logarithm, logarithm = self._slow.inv_cdf, self._ordinary.inv_cdf
        for _ in range(count):
            drawn = (slow_logarithm if random.random() < slow else logarithm)(random.random() or 0.5)
            yield 500 if errors and random.random() < errors else 200, math.exp(drawn)

    def quantile(self, share: float) -> float:
        """Return the seconds within which this share of the responses arrives, 0.99 for p99; an hour at most."""
        return _least(lambda seconds: self._share_within(seconds) >= share, 0, _LONGEST)

    def slower(self, factor: float) -> Performance:
        """Return a distribution whose response times are all multiplied by a factor."""
        return replace(self, median=self.median * factor, slow_median=self.slow_median * factor)

    def slower_tail(self, factor: float) -> Performance:
        """Return a distribution of which only the slow responses take longer, so that p99 is multiplied by a factor.

        Raises
        ------
        ValueError
            If p99 does not depend on slow responses.
        """
        wanted = factor * self.quantile(0.99)

        def slow_by(times: float) -> Performance:
            return replace(self, slow_median=self.slow_median * times)

        if not slow_by(_LONGEST).quantile(0.99) >= wanted:
            raise ValueError(f"slow_percent {self.slow_percent:g}: p99 depends on slow responses from 1 per cent on")
        return slow_by(_least(lambda times: slow_by(times).quantile(0.99) >= wanted, 1, _LONGEST))

    @property
    def _ordinary(self) -> NormalDist:
        return NormalDist(math.log(self.median), self.spread)

    @property
    def _slow(self) -> NormalDist:
        return NormalDist(math.log(self.slow_median), self.slow_spread)

    def _share_within(self, seconds: float) -> float:
        slow, logarithm = self.slow_percent / 100, math.log(seconds)
        return slow * self._slow.cdf(logarithm) + (1 - slow) * self._ordinary.cdf(logarithm)


def _least(reached: Callable[[float], bool], low: float, high: float) -> float:
    """Return the least number between two at which a monotonic condition is true."""
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Variation of the response times that all revisions share, such as the time of day and noisy neighbours.

    Parameters
    ----------
    wave_percent, wave_minutes
        Amplitude and duration of a slow wave.
    noise_percent
        Standard deviation between minutes, in addition to the wave.
    """

    wave_percent: float = 15.0
    wave_minutes: float = 60.0
    noise_percent: float = 5.0

    def factor(self, seed: int, minute: int) -> float:
        """Return the factor of all response times in a minute since the epoch; the same for the same seed."""
        phase = Random(f"{seed} wave").random()  # noqa: S311 - must be reproducible
        noise = Random(f"{seed} noise {minute}").gauss(0, self.noise_percent / 100)  # noqa: S311
        wave = self.wave_percent / 100 * math.sin(2 * math.pi * (phase + minute / self.wave_minutes))
        return math.exp(wave + noise)


class DrawnUsers:
    """Draws the requests of the production listener during deployments.

    The same seed draws the same requests, as long as traffic is shifted at the same times.

    Parameters
    ----------
    balancer
        Receives the requests.
    controller
        Plays the deployments. The setting `performance` of a revision is its `Performance`.
    requests_per_minute
        Requests to all revisions together.
    seed
        Seed of everything that is drawn.
    load
        Variation of the response times that all revisions share.
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
        """Draw the requests since the last visit."""
        with self._drawing:
            self._draw(self._controller.clock.now())

    def _record(self, record: Record) -> None:
        # The old weights hold until a shift of traffic, even in the middle of a minute.
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
        """Draw the requests to a revision since the last visit; `end` is in the same minute."""
        known = [each.arn for each in self._controller.revisions].index(revision)
        # The revision's number, since its ARN differs in each run.
        random = Random(f"{self._seed} {self._since} {known}")  # noqa: S311 - as above
        seconds = end - self._since
        count = int(self._weights[revision] / 100 * self._requests_per_minute * seconds / 60 + random.random())
        performance: Performance = self._controller.revisions[known].settings.get("performance", Performance())
        factor = self._load.factor(self._seed, int(self._since // 60))
        for number, (status, took) in enumerate(performance.answers(random, count)):
            ended = self._since + seconds * (number + random.random()) / count
            yield Forwarded(ended, "production", revision, status, took * factor)
