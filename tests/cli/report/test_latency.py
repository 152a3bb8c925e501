from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.report.latency import (
    Axis,
    Latency,
    axis_of,
    compared,
    duration,
    histograms_of,
    latencies_of,
    seconds_axis,
)
from ecs_hooks_cli.report.recording import Play
from tests.cli.report.recorded import forwarded, recorded

seconds = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200).map(sorted)


def latency(*took: float, broken: int = 0, refused: int = 0) -> Latency:
    statuses = {"2xx": len(took), "3xx": 0, "4xx": 0, "5xx": 0}
    return Latency(colour="green", statuses=statuses, broken=broken, refused=refused, seconds=took)


@pytest.fixture(scope="module")
def play() -> Play:
    play = recorded()
    blue, green = play.blue, play.green
    requests = [
        *forwarded(blue, 0.3, 0.1, 0.2),
        *forwarded(green, 0.4, 0.1),
        *forwarded(green, 0.5, status=500),
        *forwarded(green, 0.6, status=404),
        *forwarded(green, 0.7, status=302),
        *forwarded(green, 9.0, status=504, origin="balancer"),
        *forwarded(green, 0.0, status=502, origin="connection"),
        *forwarded(green, 5.0, listener="test"),
        *forwarded("another", 1.0),
    ]
    return replace(play, requests=requests)


def test_requests_are_counted_by_revision(play: Play) -> None:
    blue, green = latencies_of(play)

    assert (blue.colour, blue.requests, blue.errors, blue.seconds) == ("blue", 3, 0, [0.1, 0.2, 0.3])
    assert (green.requests, green.errors, green.broken, green.refused) == (7, 3, 1, 1)
    assert green.statuses == {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1}
    assert green.seconds == [0.1, 0.4, 0.5, 0.6, 0.7]  # responses of the load balancer itself do not count
    assert [each.seconds for each in latencies_of(play, "test")] == [[5.0]]


def test_without_requests_there_is_nothing() -> None:
    assert latencies_of(recorded()) == []
    assert axis_of([]) is None
    assert axis_of([latency(broken=3)]) is None
    assert axis_of([latency(0.0)]) is None


def test_revisions_are_compared(play: Play) -> None:
    rows = dict(compared(latencies_of(play)))

    assert rows["requests"] == ["3", "7"]
    assert rows["errors"] == ["0 (0 %)", "3 (42.9 %)"]
    assert (rows["5xx"], rows["closed or no response"], rows["connection refused"]) == (
        ["0", "1"],
        ["0", "1"],
        ["0", "1"],
    )
    assert rows["p50"] == ["200 ms", "500 ms", "2.5 times"]
    assert rows["maximum"] == ["300 ms", "700 ms", "2.33 times"]


def test_a_missing_value_is_empty_and_has_no_ratio() -> None:
    assert dict(compared([latency(0.25)]))["p99"] == ["250 ms"]
    assert dict(compared([latency(0.25), latency(refused=1)]))["p99"] == ["250 ms", ""]
    assert dict(compared([latency(0.0), latency(0.5)]))["p50"] == ["0 ms", "500 ms"]


def test_percentiles_are_by_nearest_rank() -> None:
    found = latency(*(each / 1000 for each in range(1, 101)))

    assert [found.percentile(each) for each in (50, 95, 99, 100)] == [0.05, 0.095, 0.099, 0.1]
    assert latency().percentile(50) is None


@given(seconds)
def test_all_responses_are_in_the_histogram(took: list[float]) -> None:
    axis = axis_of([latency(*took)])
    assert axis is not None
    bins = axis.histogram(took)

    assert axis.bins <= 60
    assert sum(each.share for each in bins) == pytest.approx(1)
    assert all(before.right <= after.left + 1e-9 for before, after in pairwise(bins))
    assert all(-1e-9 <= axis.at(each) <= 100 + 1e-9 for each in took)
    assert bins[0].left - 1e-6 <= axis.at(took[0]) <= bins[0].right + 1e-6
    assert bins[-1].left - 1e-6 <= axis.at(took[-1]) <= bins[-1].right + 1e-6


@given(seconds)
def test_the_axis_has_round_numbers(took: list[float]) -> None:
    axis = axis_of([latency(*took)])
    assert axis is not None

    assert 2 <= len(axis.ticks) <= 12
    assert len([tick for tick in axis.ticks if tick.narrow]) >= 1
    assert all(0 <= round(tick.at, 6) <= 100 for tick in axis.ticks)


def test_ticks_have_units() -> None:
    assert [tick.text for tick in Axis(-3, -2, 10).ticks] == ["1 ms", "2 ms", "5 ms", "10 ms"]
    assert [tick.text for tick in Axis(-3, 2, 10).ticks] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"]
    narrow = [tick.text for tick in Axis(-3, -1, 10).ticks if tick.narrow]
    assert narrow == ["1 ms", "10 ms", "100 ms"]


def test_a_response_that_took_no_time_is_in_the_first_bar() -> None:
    axis = axis_of([latency(0.0, 0.1)])
    assert axis is not None

    assert axis.histogram([0.0, 0.1])[0].left == 0


@pytest.mark.parametrize(("took", "text"), [(0.0031, "3.1 ms"), (0.9999, "1,000 ms"), (1.25, "1.25 s"), (100, "100 s")])
def test_durations_for_people(took: float, text: str) -> None:
    assert duration(took) == text


def test_a_histogram_has_its_percentiles() -> None:
    took = [each / 1000 for each in range(1, 101)]
    found = latency(*took)
    axis = axis_of([found])
    assert axis is not None
    ((_, drawn),) = histograms_of([found], axis)

    assert drawn.count('class="area green"') == len(axis.histogram(took))
    assert re.findall(r"height=\"([0-9.]+)%\" class=\"area", drawn).count("100") == 1
    assert re.findall(r">(p\d+ [^<]+)</text>", drawn) == ["p50 50 ms", "p95 95 ms", "p99 99 ms"]
    assert 'aria-label="green: p50 50 ms, p95 95 ms, p99 99 ms, of 100 responses"' in drawn
    assert ">10 ms</text>" in seconds_axis(axis)


def test_a_response_that_took_no_time_is_at_the_left() -> None:
    found = latency(0.0, 0.0, 0.1)
    axis = axis_of([found])
    assert axis is not None

    assert '<line x1="0%"' in histograms_of([found], axis)[0][1]
