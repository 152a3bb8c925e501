from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from benchmarks.judgement.__main__ import main
from benchmarks.judgement.drawing import (
    Drawn,
    Revision,
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
from benchmarks.judgement.fixed_limits import too_many_errors, too_slow
from benchmarks.judgement.gate import REFUSED, UNDECIDED, Gate
from benchmarks.judgement.in_process_aws import BEGAN, BLUE_NAME, GREEN_NAME, DrawnMetrics
from benchmarks.judgement.runs import judge_all
from benchmarks.judgement.situations import situations
from benchmarks.judgement.table import LIBRARY, Judged, Tally, as_json, cells, markdown
from ecs_hooks.core import clock
from ecs_hooks_simulator.aws.cloudwatch import CloudWatch, Counted
from ecs_hooks_simulator.aws.elastic_load_balancing import _measure_of
from ecs_hooks_simulator.drawn_users import Performance
from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer

USUAL = Revision(latency=long_tail())
FAULTY = Revision(latency=long_tail(), errors=flat(0.1))
EQUAL = Traffic(green=USUAL, blue=FAULTY, rates=(100, 300))
LATENCY = json.dumps({"type": "comparison", "metrics": [{"metric": "TargetResponseTime", "stat": "p99"}]})
SAMPLE = {
    "latency: equal at 20/380",
    "latency: equal at 1200/24",
    "latency: all x 2 at 380/20",
    "latency: p99 x 2 at 300/5700",
    "errors: equal, 0.1 % at 20/380",
    "errors: 0.1 to 1 % at 60/1140",
    "errors: 0 to 50 % at 90/10",
    "shape: own AR(1), sd 15 %, equal at 60/1140",
    "shape: missing minutes, equal at 60/1140",
    "shape: discrete, equal at 190/10",
    "break: cold start at 60/1140",
    "break: x 10 in the last 3 minutes at 60/1140",
    "break: own bursts of errors, equal at 60/1140",
    "golden: half of the limit of 2 % at 300/1200",
    "golden: twice the limit of 1 % at 300/1200",
}
CHOSEN = [each for each in situations() if each.group == "known" or each.label in SAMPLE]
SEEDS = range(12)


@pytest.mark.parametrize("situation", CHOSEN, ids=lambda each: str(each.label))
def test_a_sample_of_the_table_holds_its_limits(situation: Any) -> None:
    for judged in judge_all([situation], SEEDS, 1):
        tally = judged.tallies[LIBRARY]
        # Of few runs, a gate that holds its limit in many is wrong in at most so many, with 99 per cent.
        most = scipy.stats.binom.ppf(0.99, len(SEEDS), (judged.row.limit or 100) / 100)
        assert tally.wrong(judged.row.right) <= most, (judged.row.metric.name, tally.statuses, tally.reason)


def test_the_sample_is_in_the_table() -> None:
    assert {each.label for each in CHOSEN} >= SAMPLE


def test_a_minute_is_the_same_in_whatever_order_minutes_are_read() -> None:
    forwards, backwards = Drawn(EQUAL, [7]), Drawn(EQUAL, [7])
    first = [forwards.green.minute(number) for number in range(5)]
    second = [backwards.green.minute(number) for number in reversed(range(5))][::-1]

    assert [each.errors for each in first] == [each.errors for each in second]
    assert all((one.seconds == other.seconds).all() for one, other in zip(first, second, strict=True))
    assert (Drawn(EQUAL, [8]).green.minute(0).seconds[:9] != first[0].seconds[:9]).any()


def test_before_the_step_blue_has_all_traffic() -> None:
    seeds = [Drawn(EQUAL, [seed]) for seed in range(40)]

    def mean(minute: int) -> tuple[float, float]:
        counts = [(len(each.green.minute(minute).seconds), len(each.blue.minute(minute).seconds)) for each in seeds]
        return tuple(np.mean(counts, axis=0))

    assert mean(-2) == pytest.approx((0, 400), rel=0.05)
    assert mean(0) == pytest.approx((100, 300), rel=0.05)
    green, blue = mean(-1)
    assert 20 < green < 80
    assert green + blue == pytest.approx(400, rel=0.05)
    assert not len(seeds[0].green.minute(1000).seconds)


@pytest.mark.parametrize(
    ("latency", "median", "p99"),
    [
        (long_tail(), 0.0822, 0.403),
        (long_tail(2), 0.1644, 0.806),
        (long_tail(tail=2), Performance().slower_tail(2).quantile(0.5), 0.806),
        (pareto(1.5), 0.05 * 2 ** (1 / 1.5), 0.05 * 100 ** (1 / 1.5)),
        (bimodal(), 0.0112, 0.59),
        (discrete(), 0.1, 0.4),
        (constant(0.3), 0.3, 0.3),
        (times(constant(0.3), 2), 0.6, 0.6),
    ],
)
def test_latencies(latency: Any, median: float, p99: float) -> None:
    seconds = latency(np.random.default_rng(1), 200_000)

    assert np.quantile(seconds, [0.5, 0.99]) == pytest.approx([median, p99], rel=0.05)


def test_shapes() -> None:
    random = np.random.default_rng(3)
    noise = np.log(np.concatenate([autoregressive(0.25)(random) for _ in range(400)]))

    assert noise.std() == pytest.approx(0.25, rel=0.05)
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(0.8, abs=0.02)
    assert between(3, 4, 9)(random)[62:66].tolist() == [1, 9, 9, 1]
    assert growing(10)(random)[58:62].tolist() == pytest.approx([1, 1, 1.1, 1.2])
    assert set(bursts(0.5, 0, 1)(random)) == {0, 1}


def test_a_bad_task_is_slow_and_fails() -> None:
    revision = Revision(latency=constant(1), bad=flat(0.25), bad_factor=5, bad_errors=0.5)
    drawn = Drawn(Traffic(green=revision, blue=USUAL, rates=(100_000, 1)), [1])
    seconds, errors = drawn.green.minute(3)

    assert np.mean(seconds == 5) == pytest.approx(0.25, rel=0.05)
    assert errors == pytest.approx(12_500, rel=0.05)


class EqualRequests:
    """The metrics of the load balancer for drawn requests that were really noted there."""

    namespace = "AWS/ApplicationELB"

    def owns(self, _: Mapping[str, Any]) -> bool:
        return True

    def counted(self, name: str, dimensions: Mapping[str, str]) -> Counted:
        revisions = {dimensions["TargetGroup"]} if "TargetGroup" in dimensions else {GREEN_NAME, BLUE_NAME}
        return Counted(_measure_of(name), frozenset({"production"}), frozenset(revisions))

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        return dict(dimensions)


FAILING = Drawn(Traffic(green=FAULTY, blue=FAULTY, rates=(100, 300)), [5])


@lru_cache
def noted() -> CloudWatch:
    """Return the simulator's CloudWatch after the same requests."""
    balancer = LoadBalancer()
    for revision, requests in ((GREEN_NAME, FAILING.green), (BLUE_NAME, FAILING.blue)):
        for number in range(-20, 20):
            seconds, errors = requests.minute(number)
            for index, took in enumerate(seconds.tolist()):
                status = 500 if index < errors else 200
                balancer.note(Forwarded(BEGAN + 60.0 * number, "production", revision, status, took))
    return CloudWatch(balancer, EqualRequests())


@pytest.mark.parametrize("period", [60, 300, 900])
@pytest.mark.parametrize("group", [GREEN_NAME, BLUE_NAME, None])
@pytest.mark.parametrize(
    ("name", "stat"),
    [
        ("TargetResponseTime", "p99"),
        ("TargetResponseTime", "Average"),
        ("TargetResponseTime", "TC(0.2:)"),
        ("TargetResponseTime", "SampleCount"),
        ("HTTPCode_Target_5XX_Count", "Sum"),
        ("HTTPCode_Target_2XX_Count", "Sum"),
        ("RequestCount", "Sum"),
        ("TargetConnectionErrorCount", "Sum"),
    ],
)
def test_drawn_metrics_are_those_of_the_simulators_cloudwatch(
    name: str, stat: str, group: str | None, period: int
) -> None:
    dimensions = [{"Name": "TargetGroup", "Value": group}] if group else []
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions}
    query = {"Metric": metric, "Period": period, "Stat": stat}
    window = (BEGAN - 300, BEGAN + 900)

    with clock.use(lambda: BEGAN + 900):
        found = DrawnMetrics(FAILING, BEGAN).measure_stat(query, *window)
    assert found == pytest.approx(noted().measure_stat(query, *window))
    assert bool(found) is (name != "TargetConnectionErrorCount")


def test_a_minute_that_is_not_over_has_a_part_of_its_requests() -> None:
    drawn = Drawn(EQUAL, [5])
    metrics = DrawnMetrics(drawn, BEGAN)
    count = len(drawn.green.minute(2).seconds)

    def at(seconds: float) -> Mapping[float, float]:
        with clock.use(lambda: BEGAN + seconds):
            return metrics.evaluate([query("SampleCount")], BEGAN + 120, BEGAN + 180)["q"]

    def query(stat: str) -> dict[str, Any]:
        metric = {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "TargetResponseTime",
            "Dimensions": [{"Name": "TargetGroup", "Value": GREEN_NAME}],
        }
        return {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}

    assert at(120) == {}
    assert at(150) == {BEGAN + 120: count // 2}
    assert at(180) == at(500) == {BEGAN + 120: count}


def test_a_check_is_played_until_its_verdict() -> None:
    gate = Gate(Drawn(EQUAL, [3]), 25, 0)

    verdict = gate.play(LATENCY)
    assert verdict.status == "PASS"
    assert 15 < verdict.minutes <= 17  # the window, and `lag_seconds`
    missing = gate.play(json.dumps({"type": "comparison", "metrics": [{"metric": "Absent", "stat": "Sum"}]}))
    assert missing.status in {UNDECIDED, "FAIL"}
    assert gate.play(json.dumps({"type": "comparison", "metrics": []})).status == REFUSED


def test_an_outage_is_found_within_minutes() -> None:
    failing = Traffic(green=Revision(latency=long_tail(), errors=flat(0.5)), blue=USUAL, rates=(300, 300))

    verdict = Gate(Drawn(failing, [1]), 50, 0).play('{"type": "golden_signals"}')
    assert verdict.status == "FAIL"
    assert verdict.minutes <= 4


def test_fixed_limits() -> None:
    assert too_many_errors({0: 0, 1: 3})
    assert not too_many_errors({0: 0, 1: 2})
    assert not too_many_errors({})
    assert too_slow(dict.fromkeys(range(5), 1.2), 1)
    assert not too_slow(dict.fromkeys(range(4), 1.2), 1)


def test_wrong_verdicts_are_counted() -> None:
    tally = Tally()
    for status, count in (("PASS", 4), ("FAIL", 3), (UNDECIDED, 2), (REFUSED, 1)):
        other = Tally()
        other.statuses[status] += count
        tally.add(other)

    assert tally.wrong("PASS") == 6
    assert tally.wrong("FAIL") == 6  # settings that are refused cannot pass a bad green


def test_a_row_holds_its_limit() -> None:
    situation = next(each for each in situations() if each.label == "known: half of the limit at 300/1200")
    row = situation.rows[0]
    tally = Tally()
    tally.statuses.update({"PASS": 99, "FAIL": 1})
    tally.minutes = [6]
    judged = Judged(situation, row, {LIBRARY: tally, "fixed limits": Tally(tally.statuses.copy())})

    assert judged.holds
    assert judged.is_best
    tally.statuses["FAIL"] += 9
    assert not judged.holds
    assert not judged.is_best
    assert as_json(judged)["wrong"] == {LIBRARY: 10, "fixed limits": 1}
    assert cells(judged)[4:8] == ("9.17 ! <", "-", "1", "1")
    assert markdown([judged]).splitlines() == [
        "### known",
        "",
        "| situation | metric | right | 300/1200 |",
        "|---|---|---|---|",
        "| half of the limit | golden_signals 1 % | pass | **9.17 / - / 1 (1)** |",
    ]


def test_every_situation_has_its_own_label() -> None:
    labels = [each.label for each in situations()]

    assert len(set(labels)) == len(labels) > 250


def test_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [tmp_path / "table.json", tmp_path / "table.md"]
    only = ["--runs", "3", "--only", r"golden: 50 % errors at 300/1200$"]

    assert main([*only, "--jobs", "1", "--json", str(files[0]), "--markdown", str(files[1])]) == 0
    assert "3 runs each; 0 of 1 limits do not hold" in capsys.readouterr().out
    (row,) = json.loads(files[0].read_text())
    assert row["statuses"][LIBRARY] == {"FAIL": 3}
    assert "### golden" in files[1].read_text()
    assert main(["--list", "--only", "50 % errors"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "golden: 50 % errors at 20/80",
        "golden: 50 % errors at 300/1200",
    ]


@pytest.mark.slow
def test_several_processes_have_the_same_result_as_one() -> None:
    chosen = [each for each in situations() if each.label == "errors: 0 to 3 % at 20/380"]
    one, two = (judge_all(chosen, range(60), jobs)[0] for jobs in (1, 2))

    assert {name: tally.statuses for name, tally in one.tallies.items()} == {
        name: tally.statuses for name, tally in two.tallies.items()
    }
