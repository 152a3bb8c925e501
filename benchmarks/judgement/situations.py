"""The situations of the table: the distributions of green and blue, the metrics, and the right verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from benchmarks.judgement.drawing import (
    Latency,
    Revision,
    Shape,
    Traffic,
    autoregressive,
    between,
    bimodal,
    bursts,
    constant,
    discrete,
    flat,
    growing,
    long_tail,
    pareto,
    times,
)

Right = Literal["PASS", "FAIL"]
Rates = tuple[float, float]

TRAFFICS: tuple[Rates, ...] = (
    (1200, 4800),
    (300, 5700),
    (60, 1140),
    (20, 380),
    (380, 20),
    (190, 10),
    (90, 10),
    (1200, 24),
)
"""Requests of green and blue a minute."""
_LATE_STEPS: tuple[Rates, ...] = ((190, 10), (380, 20), (1200, 24))
_SOME: tuple[Rates, ...] = ((1200, 4800), (60, 1140), (190, 10))
WINDOW = 15
"""Complete minutes in the window of a comparison."""
GOLDEN_WINDOW = 5
"""Complete minutes in the window of `golden_signals`."""


class Metric(NamedTuple):
    """A metric, and the check of the library on it.

    Parameters
    ----------
    name
        In the table.
    stat
        Statistic of `TargetResponseTime`; empty for the percentage of 5xx responses.
    check
        The check as JSON.
    window
        Complete minutes of its window.
    max_error_percent
        The limit of `golden_signals`; None for a comparison.
    """

    name: str
    stat: str
    check: str
    window: int = WINDOW
    max_error_percent: float | None = None


def _latency(stat: str) -> Metric:
    return Metric(stat, stat, _comparison({"metric": "TargetResponseTime", "stat": stat}))


def _comparison(metric: dict[str, Any], **fields: Any) -> str:
    return json.dumps({"type": "comparison", "metrics": [metric], **fields})


P99, P50, AVERAGE = map(_latency, ("p99", "p50", "Average"))
_ERRORS_METRIC = {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount"}
ERRORS = Metric("errors", "", _comparison(_ERRORS_METRIC))
_THREE_MINUTES = Metric(
    "p99, 3 datapoints",
    "p99",
    _comparison({"metric": "TargetResponseTime", "stat": "p99"}, window_minutes=3, min_samples=3),
    window=3,
)


def _golden(limit: float) -> Metric:
    check = json.dumps({"type": "golden_signals", "max_5xx_percent": limit})
    return Metric(f"golden_signals {limit:g} %", "", check, GOLDEN_WINDOW, limit)


class Row(NamedTuple):
    """A metric in a situation.

    Parameters
    ----------
    metric
        The metric.
    right
        The right verdict.
    limit
        Percentage of the runs that may end with another one; None for no requirement.
    """

    metric: Metric
    right: Right
    limit: float | None = None


class Situation(NamedTuple):
    """A distribution of requests, and the metrics that are judged in it."""

    group: str
    name: str
    traffic: Traffic
    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        """The name with the group and the requests a minute, to select it by."""
        green, blue = self.traffic.rates
        return f"{self.group}: {self.name} at {green:g}/{blue:g}"


_USUAL = Revision(latency=long_tail())


def situations() -> list[Situation]:
    """Return all situations."""
    return [*_known_cases(), *_latencies(), *_errors(), *_shapes(), *_breaks(), *_golden_signals()]


def _situation(
    group: str, name: str, rates: Rates, rows: tuple[Row, ...], green: Revision, blue: Revision = _USUAL, **shared: Any
) -> Situation:
    return Situation(group, name, Traffic(green=green, blue=blue, rates=rates, **shared), rows)


def _known_cases() -> Iterator[Situation]:
    """Yield the cases that were found first; each must be right."""
    faulty = replace(_USUAL, errors=flat(0.005))
    outage = replace(_USUAL, errors=between(WINDOW - 5, 99, 1.0, 0.005))
    yield _case("only 5xx in the last 5 minutes", (1200, 4800), Row(ERRORS, "FAIL", 1), outage, faulty)
    yield _case("equal, blue has 10 requests a minute", (190, 10), Row(P99, "PASS", 5), _USUAL)
    yield _case("50 % slower, green has 20", (20, 380), Row(P99, "FAIL"), _slower(1.5))
    few, three = (replace(_USUAL, errors=flat(share)) for share in (0.002, 0.03))
    yield _case("errors 0 to 3 %, green has 20", (20, 380), Row(ERRORS, "FAIL", 1), three)
    # A rank test sees less where some of blue's minutes have an error.
    yield _case("errors 0.2 to 3 %, green has 20", (20, 380), Row(ERRORS, "FAIL", 5), three, few)
    yield _case(
        "30 % slower under shared AR(1) load",
        (1200, 4800),
        Row(P99, "FAIL", 20),
        _slower(1.3),
        shared=autoregressive(0.4),
    )
    own = replace(_USUAL, factors=(autoregressive(0.15),))
    yield _case("equal, own AR(1) noise", (1200, 4800), Row(P99, "PASS", 5), own, own)
    slow, quick = Revision(latency=constant(901)), Revision(latency=constant(0.1))
    yield _case("3 datapoints, 901 s", (1200, 4800), Row(_THREE_MINUTES, "FAIL", 0), slow, quick, offset=0)
    yield _case("half of the limit", (300, 1200), Row(_golden(1), "PASS", 1), faulty, faulty)


def _case(name: str, rates: Rates, row: Row, green: Revision, blue: Revision = _USUAL, **shared: Any) -> Situation:
    return _situation("known", name, rates, (row,), green, blue, **shared)


def _slower(factor: float) -> Revision:
    return Revision(latency=long_tail(factor))


def _latencies() -> Iterator[Situation]:
    for rates in TRAFFICS:
        yield _situation(
            "latency", "equal", rates, tuple(Row(metric, "PASS", 2) for metric in (P99, P50, AVERAGE)), _USUAL
        )
        for factor in (1.3, 1.5, 2.0):
            rows = tuple(Row(metric, "FAIL", _missed(metric, factor, rates)) for metric in (P99, P50, AVERAGE))
            yield _situation("latency", f"all x {factor:g}", rates, rows, _slower(factor))
        tail = Revision(latency=long_tail(tail=2))
        rows = (Row(P99, "FAIL", _missed(P99, 2, rates) if rates not in _LATE_STEPS else None), Row(AVERAGE, "FAIL"))
        yield _situation("latency", "p99 x 2", rates, rows, tail)


def _missed(metric: Metric, factor: float, rates: Rates) -> float | None:
    """Return the percentage of the runs in which a slower green may pass; None for no requirement."""
    least = min(rates)
    if metric is P99:
        if factor < 2:  # noqa: PLR2004
            return None
        return 5 if least >= 300 else 10 if rates in _LATE_STEPS else None  # noqa: PLR2004
    return 5 if factor >= 1.5 and least >= 20 else None  # noqa: PLR2004


def _errors() -> Iterator[Situation]:
    for rates in TRAFFICS:
        for percent in (0, 0.1, 1):
            same = replace(_USUAL, errors=flat(percent / 100))
            yield _situation("errors", f"equal, {percent:g} %", rates, (Row(ERRORS, "PASS", 2),), same, same)
        for before, after in ((0, 3), (0.1, 1), (0, 1), (1, 2), (0, 50)):
            blue, green = (replace(_USUAL, errors=flat(percent / 100)) for percent in (before, after))
            # From 1 to 2 % is 9 errors of 900 requests more, within two standard deviations in every sixth run.
            enough = min(rates) >= (300 if before == 1 else 60)
            named = (before, after, rates) in {(0, 3, (20, 380)), (0.1, 1, (60, 1140))}
            limit = 1 if named or after == 50 else 5 if enough and after - before >= 1 else None  # noqa: PLR2004
            yield _situation("errors", f"{before:g} to {after:g} %", rates, (Row(ERRORS, "FAIL", limit),), green, blue)


class _Form(NamedTuple):
    """A form of the latencies over time, or of their distribution."""

    name: str
    latency: Latency = _USUAL.latency
    shared: Shape | None = None
    own: Shape | None = None
    requests: Shape | None = None
    bad: Shape | None = None
    bad_factor: float = 1.0
    equal_limit: float = 2
    """Percentage of the runs in which an equal green may be rolled back."""


_FORMS = (
    _Form("shared bursts", shared=bursts(0.2, 4, 1)),
    _Form("own bursts", own=bursts(0.1, 4, 1)),
    _Form("trend", shared=growing(5)),
    _Form("step", shared=between(7, 99, 2)),
    _Form("Pareto 1.5", pareto()),
    _Form("bimodal", bimodal()),
    _Form("discrete", discrete()),
    _Form("constant", constant()),
    _Form("bad zone of both", bad=flat(1 / 3), bad_factor=3),
    _Form("stall of both", shared=between(6, 6, 20)),
    _Form("missing minutes", requests=bursts(0.3, 0, 1)),
    _Form("own AR(1), sd 15 %", own=autoregressive(0.15), equal_limit=5),
    _Form("own AR(1), sd 25 %", own=autoregressive(0.25), equal_limit=5),
    _Form("shared AR(1), sd 40 %", shared=autoregressive(0.4)),
)


def _shapes() -> Iterator[Situation]:
    for form in _FORMS:
        blue = Revision(
            latency=form.latency,
            factors=(form.own,) if form.own else (),
            requests=form.requests,
            bad=form.bad,
            bad_factor=form.bad_factor,
        )
        for rates in _SOME:
            rows = tuple(Row(metric, "PASS", form.equal_limit) for metric in (P99, P50, AVERAGE))
            yield _situation("shape", f"{form.name}, equal", rates, rows, blue, blue, shared=form.shared)
            for factor in (1.3, 1.5):
                green = replace(blue, latency=times(form.latency, factor))
                named = form.name.startswith("shared AR") and rates == _SOME[0] and factor < 1.5  # noqa: PLR2004
                rows = tuple(Row(metric, "FAIL", 20 if named else None) for metric in (P99, P50, AVERAGE))
                yield _situation("shape", f"{form.name}, x {factor:g}", rates, rows, green, blue, shared=form.shared)


def _breaks() -> Iterator[Situation]:
    faulty = replace(_USUAL, errors=flat(0.005))
    latencies = (P99, P50, AVERAGE)
    for rates in (*_SOME, (20.0, 380.0)):
        for minutes in (3, 5):
            outage = replace(_USUAL, errors=between(WINDOW - minutes, 99, 1.0, 0.005))
            name = f"last {minutes} minutes"
            yield _situation("break", f"only 5xx in the {name}", rates, (Row(ERRORS, "FAIL", 1),), outage, faulty)
            slow = replace(_USUAL, factors=(between(WINDOW - minutes, 99, 10),))
            rows = tuple(Row(metric, "FAIL", 5) for metric in latencies)
            yield _situation("break", f"x 10 in the {name}", rates, rows, slow)
        cold = replace(_USUAL, factors=(between(-1, 2, 4),))
        yield _situation("break", "cold start", rates, tuple(Row(metric, "PASS", 2) for metric in latencies), cold)
        leak = replace(_USUAL, factors=(growing(10),))
        yield _situation("break", "leak", rates, tuple(Row(metric, "FAIL") for metric in latencies), leak)
        task = replace(_USUAL, bad=flat(0.25), bad_factor=5)
        rows = (Row(P99, "FAIL", 5 if rates == _SOME[0] else None), Row(AVERAGE, "FAIL"))
        yield _situation("break", "one of 4 tasks x 5", rates, rows, task)
        failing = replace(_USUAL, bad=flat(0.25), bad_errors=0.5)
        yield _situation("break", "one of 4 tasks fails", rates, (Row(ERRORS, "FAIL", 5),), failing)
        own = replace(_USUAL, errors=bursts(0.2, 0.05, 0.001))
        yield _situation("break", "own bursts of errors, equal", rates, (Row(ERRORS, "PASS", 2),), own, own)


def _golden_signals() -> Iterator[Situation]:
    for limit in (1, 2, 5):
        for rate in (60, 300, 3000):
            for name, factor in (("half of", 0.5), ("equal to", 1), ("twice", 2)):
                green = replace(_USUAL, errors=flat(limit / 100 * factor))
                required = 1 if factor != 1 and rate >= 300 else None  # noqa: PLR2004
                row = Row(_golden(limit), "FAIL" if factor > 1 else "PASS", required)
                yield _situation("golden", f"{name} the limit of {limit} %", (rate, 4 * rate), (row,), green)
    for rate in (20, 300):
        half = replace(_USUAL, errors=flat(0.5))
        yield _situation("golden", "50 % errors", (rate, 4 * rate), (Row(_golden(5), "FAIL", 1),), half)
