from __future__ import annotations

import math
from random import Random

import pytest

from ecs_hooks_simulator import EcsError
from ecs_hooks_simulator.aws.metric_statistic import parse_statistic, statistic

VALUES = [4.0, 1.0, 3.0, 2.0]
TENS = [float(10 * number) for number in range(10, 0, -1)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("p0", 1), ("p50", 2), ("p51", 3), ("p99.9", 4), ("p0.5", 1), ("p100", 4), ("p100.0", 4), ("Sum", 10)],
)
def test_percentiles_and_sums(name: str, value: float) -> None:
    assert statistic(name, VALUES) == value


def test_the_rank_of_a_percentile_is_exact() -> None:
    """In binary floating point, 99.9 per cent of 1000 is a little more than 999."""
    values = [float(number) for number in range(1, 1001)]

    assert statistic("p99.9", values) == 999
    assert statistic("p0.1", values) == 1
    assert statistic("p0.1000000001", values) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # The lower bound is excluded, the upper bound is included.
        ("TC(20:50)", 3),
        ("TC(20:)", 8),
        ("TC(:20)", 2),
        ("TC(100:)", 0),
        ("TC(0.005:0.030)", 0),
        ("TC(19.9999999999:20.0000000001)", 1),
        ("PR(20:50)", 30),
        ("PR(:30)", 30),
        ("PR(30:)", 70),
        ("PR(100:2000)", 0),
        ("TS(20:50)", 120),
        ("TS(:9)", 0),
        ("TM(20:50)", 40),
        ("TM(:9)", None),
        ("WM(20:50)", (2 * 20 + 30 + 40 + 6 * 50) / 10),
        ("WM(:50)", (10 + 20 + 30 + 40 + 6 * 50) / 10),
        ("WM(95:)", (9 * 95 + 100) / 10),
        # Percentages of the values in ascending order.
        ("TC(10%:90%)", 8),
        ("TC(10%:)", 9),
        ("TC(:25%)", 2.5),
        ("tc90", 9),
        ("tc99.9", 9.99),
        ("TS(80%:)", 190),
        ("TS(:25%)", 10 + 20 + 30 / 2),
        ("TS(25%:)", 30 / 2 + sum(range(40, 101, 10))),
        ("ts90", 450),
        ("TM(10%:90%)", 55),
        ("TM(2%:98%)", 55),
        ("tm90", 50),
        ("tm0", None),
        ("TM(12%:18%)", 20),
        ("IQM", 55),
        ("WM(10%:90%)", (2 * 20 + sum(range(30, 90, 10)) + 2 * 90) / 10),
        ("WM(:90%)", (sum(range(10, 90, 10)) + 2 * 90) / 10),
        ("wm90", (sum(range(10, 90, 10)) + 2 * 90) / 10),
        ("WM(100%:)", 100),
        ("wm0", 10),
    ],
)
def test_trimmed_statistics(name: str, value: float | None) -> None:
    assert statistic(name, TENS) == (None if value is None else pytest.approx(value, rel=1e-12))


@pytest.mark.parametrize(("name", "value"), [("TC(10%:90%)", 0.8), ("TM(10%:90%)", 7), ("WM(10%:90%)", 7), ("IQM", 7)])
def test_one_value_is_partly_inside_a_range_of_percentages(name: str, value: float) -> None:
    assert statistic(name, [7.0]) == pytest.approx(value)


@pytest.mark.parametrize("count", [1, 2, 7, 10, 99, 100, 1000])
def test_ranges_add_up(count: int) -> None:
    random = Random(count)
    values = sorted(random.choice([random.lognormvariate(0, 1), 1.0]) for _ in range(count))

    def of(name: str) -> float:
        found = parse_statistic(name)(values)
        assert found is not None
        return found

    assert of("TC(:1)") + of("TC(1:)") == of("SampleCount") == count
    assert of("TC(:30%)") + of("TC(30%:)") == pytest.approx(count)
    assert of("TS(:30%)") + of("TS(30%:77.7%)") + of("TS(77.7%:)") == pytest.approx(math.fsum(values))
    assert of("TM(30%:77.7%)") * of("TC(30%:77.7%)") == pytest.approx(of("TS(30%:77.7%)"))
    assert of("PR(:1)") == pytest.approx(100 * of("TC(:1)") / count)
    assert of("tm100") == of("wm100") == pytest.approx(of("Average"))
    assert of("IQM") == of("TM(25%:75%)")
    assert of("Minimum") <= of("p50") <= of("Maximum")


@pytest.mark.parametrize(
    "name",
    [
        "p101",
        "p100.1",
        "p-1",
        "p1.12345678901",
        "p",
        "tm101",
        "TM90",
        "tm(10%:90%)",
        "TM(10%:90)",
        "TM(:)",
        "TM()",
        "TM(90%:10%)",
        "TC(5:5)",
        "TC(-1:5)",
        "TC(1e-3:)",
        "TC(0.12345678901:)",
        "TC(:100.1%)",
        "PR(10%:90%)",
        "PR(:50%)",
        "pr90",
        "iqm",
        "Median",
        "",
    ],
)
def test_other_statistics_are_refused_by_name(name: str) -> None:
    with pytest.raises(EcsError) as refused:
        statistic(name, [1.0])
    assert f"statistic {name} is not supported by the simulator; use Sum" in str(refused.value)
