"""Errors and latency of green as counts of requests, and the verdicts on them. All functions are pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ecs_hooks.checks.statistics.distributions import binomial_share, binomial_tail, clopper_pearson
from ecs_hooks.core.sent_requests import Sent

SLOW_PERCENT = 1.0
"""Percentage of requests that may be slower than the limit of the 99th percentile."""

_CONFIDENCE = 0.95
_POWER = 0.8

_ERROR_BUDGET = 0.01
"""Probability that a look before the end of the window fails a green that is exactly at its limits."""

_TESTS_PER_LOOK = 4
"""Errors and latency, each over the window so far and over its last periods."""

_LAST_PERIODS = 3
"""Number of periods that are the end of the window."""

_BAD_PERIODS = 2
"""Number of periods in a row, of those with requests, that must be beyond the limit: a bad minute that is over is no outage."""

_FEW = 10
"""Number of requests above which one slow request is no proof: at a 99th percentile at its limit, a tenth of such windows
have one."""

_SILENT = 20
"""Number of requests without any response that fail the check before the window is over."""


class Period(NamedTuple):
    """The requests of one period of the window."""

    requests: float = 0
    """Requests, without those of this hook."""
    failed: float = 0
    """Requests that failed, without those of this hook."""
    answered: float = 0
    """Requests with a response, those of this hook included."""
    slow: float = 0
    """Responses above the latency limit; at least so many where their number is unknown."""
    slow_known: bool = True
    """Whether CloudWatch has returned their number."""


class Counts(NamedTuple):
    """Some requests, and how many of them are bad: failed, or slow."""

    size: float
    bad: float

    @property
    def percent(self) -> float:
        """Percentage of the bad ones; 0 without requests."""
        return 100 * self.bad / self.size if self.size else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % confidence interval of the percentage (Clopper-Pearson)."""
        lower, upper = clopper_pearson(min(self.bad, self.size), self.size, _CONFIDENCE)
        return 100 * lower, 100 * upper


class Limits(NamedTuple):
    """The limits of the check, and its window."""

    failed_percent: float
    seconds: float
    """Latency that 1 % of the requests may exceed."""
    planned: int
    """Number of periods of the whole window."""
    period_minutes: float
    warm_up: int
    """Number of periods whose latency does not count, from the first one with requests on."""


class Measured(NamedTuple):
    """The requests of the window so far."""

    periods: Sequence[Period]
    first: int
    """Number of the first period with requests, from 0."""
    judged: int
    """Number of the first period whose latency counts."""
    own: Sent
    """This hook's own requests."""
    errors: Counts
    """Requests and failed requests."""
    latency: Counts
    """Responses and slow responses after the warm-up; those of the warm-up where there are no others."""
    latency_known: bool
    """Whether CloudWatch has returned the number of slow responses."""
    slowest: float | None
    """The longest 99th percentile of a period in seconds; None without responses."""

    @property
    def silent(self) -> bool:
        """Whether there are requests without any response."""
        return self.errors.size > 0 and not any(each.answered for each in self.periods)

    @property
    def only_warm_up(self) -> bool:
        """Whether all responses are those of the warm-up."""
        return not any(each.answered for each in self.periods[self.judged :])

    @property
    def warm_up_responses(self) -> bool:
        """Whether there are responses in the warm-up."""
        return any(each.answered for each in self.periods[: self.judged])


class Failure(NamedTuple):
    """A limit that green exceeds."""

    signal: Literal["errors", "silence", "latency"]
    first: int
    """Number of the first period of the requests that show it, from 0."""
    last: int
    counts: Counts
    """These requests."""


def measured(
    series: Mapping[str, Mapping[float, float]],
    stamps: Sequence[int],
    own: Mapping[int, Sent],
    limits: Limits,
) -> Measured:
    """Return the requests of a window.

    Parameters
    ----------
    series
        Datapoints of `requests`, `errors`, `refused`, `answered`, `slow` and `p99`, by the start of their period.
    stamps
        Starts of the periods.
    own
        This hook's own requests in each period, which do not count.
    limits
        The limits of the check.
    """
    periods = [_period(series, stamp, own.get(stamp, Sent()), limits.seconds) for stamp in stamps]
    first = next((number for number, each in enumerate(periods) if each.requests), len(periods))
    judged = min(first + limits.warm_up, len(periods))
    counting = periods[judged:] if any(each.answered for each in periods[judged:]) else periods
    sent = [own.get(stamp, Sent()) for stamp in stamps]
    return Measured(
        periods,
        first,
        judged,
        Sent(sum(each.requests for each in sent), sum(each.failed for each in sent)),
        _total(_errors(periods)),
        _total(_latency(counting)),
        all(each.slow_known for each in counting),
        max((series["p99"][stamp] for stamp in stamps if stamp in series["p99"]), default=None),
    )


def _period(series: Mapping[str, Mapping[float, float]], stamp: float, own: Sent, limit_seconds: float) -> Period:
    """Return the requests of a period.

    Whether CloudWatch returns 0 or no datapoint for the count of slow responses where no response is slow is not
    documented. So a missing count is 0 if the 99th percentile of the same period is within the limit. Otherwise the count is
    unknown: more than 1 % if the percentile is above the limit.
    """
    at = {name: values[stamp] for name, values in series.items() if stamp in values}
    failed = max(0.0, at.get("errors", 0.0) + at.get("refused", 0.0) - own.failed)
    answered, p99 = at.get("answered", 0.0), at.get("p99")
    least = most_failed(answered, SLOW_PERCENT) + 1 if answered and p99 is not None and p99 > limit_seconds else 0
    slow, known = at.get("slow", float(least)), "slow" in at or not answered or (p99 is not None and not least)
    # Requests and responses are counted at different moments, so a period may have more failures than requests.
    return Period(max(failed, at.get("requests", 0.0) - own.requests), failed, answered, slow, known)


def _errors(periods: Iterable[Period]) -> list[Counts]:
    return [Counts(each.requests, each.failed) for each in periods]


def _latency(periods: Iterable[Period]) -> list[Counts]:
    return [Counts(max(each.answered, each.slow), each.slow) for each in periods]


def _total(counts: Sequence[Counts]) -> Counts:
    return Counts(sum(each.size for each in counts), sum(each.bad for each in counts))


def most_failed(size: float, limit_percent: float) -> int:
    """Return the number of failed requests up to which the check passes at the end of its window."""
    return math.floor(limit_percent * size / 100 + 1e-9)


def most_slow(size: float) -> int:
    """Return the number of slow requests up to which the check passes at the end of its window."""
    return max(most_failed(size, SLOW_PERCENT), 1 if size > _FEW else 0)


def detectable_percent(size: float, most: int) -> float:
    """Return the smallest percentage of bad requests that fails with a probability of 80 % at the end of the window.

    Parameters
    ----------
    size
        Number of requests.
    most
        Number of bad ones that are allowed.
    """
    return 100 * binomial_share(most + 1, size, _POWER)


def failure(found: Measured, limits: Limits, *, over: bool) -> Failure | None:
    """Return the first limit that green exceeds; None if there is none.

    Parameters
    ----------
    found
        The requests of the window so far.
    limits
        The limits.
    over
        Whether the window is over, so that the shares themselves are compared with the limits.
    """
    end = len(found.periods) - 1
    if over and (found.silent or found.errors.bad > most_failed(found.errors.size, limits.failed_percent)):
        return Failure("silence" if found.silent else "errors", 0, end, found.errors)
    look = failed_look(_errors(found.periods), limits.failed_percent, limits.planned)
    if look:
        return Failure("errors", *look)
    look = _silent_look(found.periods)
    if look:
        return Failure("silence", *look)
    if found.only_warm_up:
        return None
    if over and found.latency.bad > most_slow(found.latency.size):
        return Failure("latency", found.judged, end, found.latency)
    look = failed_look(_latency(found.periods[found.judged :]), SLOW_PERCENT, limits.planned)
    return look and Failure("latency", look.first + found.judged, look.last + found.judged, look.counts)


class Look(NamedTuple):
    """The requests of some periods of the window, by which green is certainly beyond a limit."""

    first: int
    """Number of the first of these periods, from 0."""
    last: int
    counts: Counts


def failed_look(counts: Sequence[Counts], limit_percent: float, planned: int) -> Look | None:
    """Return the first look at which green is certainly beyond a limit; None if there is none.

    Parameters
    ----------
    counts
        The counts of each period of the window so far.
    limit_percent
        The limit.
    planned
        Number of periods of the whole window.

    Notes
    -----
    There is a look at the end of each period, at the window so far and at its last three periods. A look fails if the
    exact binomial p-value of its counts against the limit is below its share of the error budget (1 % for all looks of a
    window), and if the last two periods with requests are both beyond the limit.

    The shares are equal: the union bound (Bonferroni; as a special case of alpha spending, Lan and DeMets 1983). It holds
    for any dependence between the looks, which overlap, and requires no numerical integration. Group-sequential bounds
    would be slightly more powerful, but a plain outage has a p-value far below either. Since all looks are computed from
    the datapoints each time, lost and duplicate invocations do not change the verdict.
    """
    level = _ERROR_BUDGET / (_TESTS_PER_LOOK * max(planned, 1))
    sums = [Counts(0, 0)]
    bad_in_a_row = 0
    for number, each in enumerate(counts):
        sums.append(_total((sums[-1], each)))
        if not each.size:
            continue
        bad_in_a_row = bad_in_a_row + 1 if each.percent > limit_percent else 0
        if bad_in_a_row < _BAD_PERIODS and not (limit_percent == 0 and each.bad):
            continue
        for first in (0, max(0, number + 1 - _LAST_PERIODS)):
            seen = Counts(sums[-1].size - sums[first].size, sums[-1].bad - sums[first].bad)
            if binomial_tail(seen.bad, seen.size, limit_percent / 100) <= level:
                return Look(first, number, seen)
    return None


def _silent_look(periods: Sequence[Period]) -> Look | None:
    """Return the first look without any response to many requests; None if there is none.

    A user may give up, but a green that responds to none of the requests of several periods is at fault.
    """
    first, requests, busy = 0, 0.0, 0
    for number, each in enumerate(periods):
        if each.answered:
            first, requests, busy = number + 1, 0.0, 0
        elif each.requests:
            requests, busy = requests + each.requests, busy + 1
            if busy >= _BAD_PERIODS and requests >= _SILENT:
                return Look(first, number, Counts(requests, requests))
    return None
