"""Requests of green and blue, drawn at random per minute.

Minutes are counted from the window: the window begins with minute 0, the step some seconds before it, in minute -1. Before
the step blue has all traffic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecs_hooks_simulator.drawn_users import Performance

BEFORE, AFTER = 60, 40
"""Minutes before and after the beginning of the window."""
MINUTES = np.arange(-BEFORE, AFTER)

Floats = NDArray[np.float64]
Latency = Callable[[np.random.Generator, int], Floats]
"""Draws the response times of so many requests, in seconds."""
Shape = Callable[[np.random.Generator], Floats]
"""Draws a value for each of `MINUTES`, such as a factor of all response times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The distribution of a revision's responses.

    Parameters
    ----------
    latency
        Draws the response times.
    factors
        Factors of the response times by minute; several are multiplied.
    errors
        Share of the requests with a 5xx response by minute.
    requests
        Factor of the number of requests by minute, 0 for none.
    bad
        Share of the requests, by minute, that have the response time times `bad_factor`, and a 5xx response with probability
        `bad_errors`: one of several tasks, or one of several zones.
    """

    latency: Latency
    factors: tuple[Shape, ...] = ()
    errors: Shape | None = None
    requests: Shape | None = None
    bad: Shape | None = None
    bad_factor: float = 1.0
    bad_errors: float = 0.0


class Minute(NamedTuple):
    """The requests of one revision in a minute."""

    seconds: Floats
    """Response times in ascending order."""
    errors: int
    """Number of 5xx responses."""


_NO_REQUESTS = Minute(np.empty(0), 0)


class DrawnRevision:
    """The requests of a revision; a minute is drawn when it is first read.

    Parameters
    ----------
    revision
        The distribution.
    rates
        Expected number of requests by minute.
    shared
        Factor of the response times by minute that both revisions share.
    seed
        Seeds of this revision: the order in which minutes are read changes nothing.
    """

    def __init__(self, revision: Revision, rates: Floats, shared: Floats, seed: Sequence[int]) -> None:
        self._revision = revision
        self._seed = seed
        random = np.random.default_rng([*seed, 0])
        self._factors = shared * math.prod(shape(random) for shape in revision.factors)
        self._errors = revision.errors(random) if revision.errors else np.zeros(len(MINUTES))
        self._bad = revision.bad(random) if revision.bad else None
        shares = revision.requests(random) if revision.requests else np.ones(len(MINUTES))
        self._counts = random.poisson(rates * shares)
        self._drawn: dict[int, Minute] = {}

    def minute(self, number: int) -> Minute:
        """Return the requests in a minute."""
        index = number + BEFORE
        if not 0 <= index < len(MINUTES) or not self._counts[index]:
            return _NO_REQUESTS
        if number not in self._drawn:
            self._drawn[number] = self._draw(index)
        return self._drawn[number]

    def _draw(self, index: int) -> Minute:
        random = np.random.default_rng([*self._seed, 1 + index])
        count = int(self._counts[index])
        seconds = self._revision.latency(random, count) * self._factors[index]
        errors = int(random.binomial(count, self._errors[index])) if self._errors[index] else 0
        if self._bad is not None:
            bad = int(random.binomial(count, self._bad[index]))
            seconds[random.permutation(count)[:bad]] *= self._revision.bad_factor
            errors = min(count, errors + int(random.binomial(bad, self._revision.bad_errors)))
        seconds.sort()
        return Minute(seconds, errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Two revisions and their requests a minute."""

    green: Revision
    blue: Revision
    rates: tuple[float, float]
    """Requests a minute of green and blue, from the step on."""
    shared: Shape | None = None
    """Factor of the response times by minute that both share."""
    offset: float | None = None
    """Seconds from the step to the window. Default: at random."""


class Drawn:
    """The requests of both revisions, for one seed."""

    def __init__(self, traffic: Traffic, seed: Sequence[int]) -> None:
        random = np.random.default_rng([*seed, 0])
        self.offset = float(random.uniform(1, 59)) if traffic.offset is None else traffic.offset
        """Seconds from the step to the window; 60 s less this is the part of the minute before the step."""
        shared = traffic.shared(random) if traffic.shared else np.ones(len(MINUTES))
        green, blue = traffic.rates
        after = np.clip((MINUTES + 1) + (MINUTES == -1) * self.offset / 60, 0, 1)
        self.green = DrawnRevision(traffic.green, green * after, shared, [*seed, 1])
        self.blue = DrawnRevision(traffic.blue, blue + green * (1 - after), shared, [*seed, 2])


def long_tail(factor: float = 1.0, tail: float = 1.0) -> Latency:
    """Return the latencies of `Performance`: log-normal, with 5 % slow requests; `tail` is the factor of p99 alone."""
    performance = Performance() if tail == 1 else Performance().slower_tail(tail)
    ordinary, slow = math.log(performance.median * factor), math.log(performance.slow_median * factor)

    def draw(random: np.random.Generator, count: int) -> Floats:
        logarithms = random.standard_normal(count)
        slows = int(random.binomial(count, performance.slow_percent / 100))
        logarithms[:slows] = logarithms[:slows] * performance.slow_spread + slow
        logarithms[slows:] = logarithms[slows:] * performance.spread + ordinary
        return np.exp(logarithms)

    return draw


def pareto(exponent: float = 1.5, least: float = 0.05) -> Latency:
    """Return latencies with an infinite variance."""
    return lambda random, count: least * (1 + random.pareto(exponent, count))


def bimodal() -> Latency:
    """Return 70 % hits of a cache at 10 ms, and 30 % misses at 400 ms."""

    def draw(random: np.random.Generator, count: int) -> Floats:
        centres = np.where(random.random(count) < 0.7, math.log(0.01), math.log(0.4))  # noqa: PLR2004
        return np.exp(centres + 0.2 * random.standard_normal(count))

    return draw


def discrete() -> Latency:
    """Return latencies in steps of 50 ms, so that most of them are equal."""
    exact = long_tail()
    return lambda random, count: 0.05 * np.maximum(1, np.round(exact(random, count) / 0.05))


def constant(seconds: float = 0.1) -> Latency:
    """Return latencies that are all equal."""
    return lambda _, count: np.full(count, seconds)


def times(latency: Latency, factor: float) -> Latency:
    """Return latencies that are multiplied by a factor."""
    return lambda random, count: latency(random, count) * factor


def flat(value: float) -> Shape:
    """Return the same value in every minute."""
    return lambda _: np.full(len(MINUTES), value)


def between(first: int, last: int, value: float, otherwise: float = 1.0) -> Shape:
    """Return a value from minute `first` to `last`, and another one in all other minutes."""
    return lambda _: np.where((first <= MINUTES) & (last >= MINUTES), value, otherwise)


def autoregressive(deviation: float, rho: float = 0.8) -> Shape:
    """Return log-normal AR(1) noise."""

    def draw(random: np.random.Generator) -> Floats:
        steps = random.standard_normal(len(MINUTES)) * deviation * math.sqrt(1 - rho * rho)
        level = float(random.normal(0, deviation))
        levels: list[float] = []
        for step in steps.tolist():
            levels.append(level)
            level = rho * level + step
        found: Floats = np.exp(np.array(levels))
        return found

    return draw


def bursts(share: float, value: float, otherwise: float) -> Shape:
    """Return a value in a random share of the minutes, and another one in all others."""
    return lambda random: np.where(random.random(len(MINUTES)) < share, value, otherwise)


def growing(percent: float) -> Shape:
    """Return a factor that grows by so many per cent a minute from the beginning of the window."""
    return lambda _: 1 + percent / 100 * np.maximum(MINUTES + 1, 0)
