from __future__ import annotations

import math

import pytest

from ecs_hooks.checks.comparison import evaluate
from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Kind, Sample
from ecs_hooks.checks.comparison.finding import Finding
from ecs_hooks.checks.comparison.sides import Settings, Side

SAME = Finding(p_value=0.5, value=1.0, blue=1.0, limit=1.1, statistic="", notes=[], caveats=[], detectable=1.2, broke=0)


def result(monkeypatch: pytest.MonkeyPatch, found: Finding) -> evaluate.MetricResult:
    monkeypatch.setattr(evaluate, "_COMPARE", {Kind.MEAN: lambda *_: found})
    points = {60.0 * minute: 1.0 for minute in range(15)}
    side = Side(Sample(points, 1.0), points, {}, {}, {}, {})
    return evaluate.evaluate(ComparedMetric(metric="M"), side, side, Settings(98, 10, 5))


@pytest.mark.parametrize(
    ("found", "caveat"),
    [
        (SAME, ""),
        (SAME._replace(detectable=2.2), "M Average: would not have seen less than +120 %"),
        (SAME._replace(detectable=math.inf), "M Average: would not have seen any regression"),
        (SAME._replace(detectable=0.4, in_points=True), ""),
        (SAME._replace(detectable=2.5, in_points=True), "M Average: would not have seen less than 2.5 points more"),
        (SAME._replace(caveats=["p50 in place of p99"]), "M Average: p50 in place of p99"),
    ],
)
def test_a_pass_says_what_it_would_not_have_seen(monkeypatch: pytest.MonkeyPatch, found: Finding, caveat: str) -> None:
    seen = result(monkeypatch, found)

    assert (seen.points, seen.caveat) == (1, caveat)
    assert seen.detectable == (found.detectable if math.isfinite(found.detectable) else None)


def test_a_break_fails_whatever_the_whole_window_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = result(monkeypatch, SAME._replace(broke=14, notes=["3 of 9"]))

    assert (seen.points, seen.broke) == (0, True)
    assert seen.summary == "M Average 1 (blue 1), 3 of 9, broke away from blue by minute 14 of those that count"


def test_a_p_value_below_the_level_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    level = Settings(98, 10, 5).level

    assert result(monkeypatch, SAME._replace(p_value=0.99 * level)).points == 0
    assert result(monkeypatch, SAME._replace(p_value=1.01 * level)).points == 1
