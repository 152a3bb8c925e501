from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.report.recording import Moment
from ecs_hooks_cli.report.scale import Scale, axis, grid
from tests.cli.report.recorded import recorded

lengths = st.lists(st.floats(0, 2e6) | st.just(0.0), min_size=1, max_size=90)


def scale_of(lasting: list[float]) -> Scale:
    """Return the scale of stages that last so long."""
    begins = [sum(lasting[:place]) for place in range(len(lasting))]
    return Scale(begins, sum(lasting))


@given(lengths)
def test_stages_follow_each_other_from_one_end_to_the_other(lasting: list[float]) -> None:
    scale = scale_of(lasting)
    stages = [scale.stage(part) for part in range(1, len(lasting) + 1)]

    assert stages[0][0] == 0
    assert stages[-1][1] == 100
    assert all(before[1] == after[0] for before, after in pairwise(stages))
    assert all(right > left for left, right in stages)


@given(lengths, st.data())
def test_a_later_moment_is_never_further_left(lasting: list[float], data: st.DataObject) -> None:
    scale = scale_of(lasting)
    begins = [sum(lasting[:place]) for place in range(len(lasting))]
    moments = [
        Moment(begins[part] + share * lasting[part], part + 1)
        for part in range(len(lasting))
        for share in sorted(data.draw(st.lists(st.floats(0, 1), max_size=2)))
    ]
    places = [scale.at(moment) for moment in moments]

    assert all(before <= after + 1e-6 for before, after in pairwise(places))
    assert all(0 <= place <= 100 for place in places)


@given(lengths)
def test_labels_have_room(lasting: list[float]) -> None:
    ticks = scale_of(lasting).ticks

    assert (ticks[0].at, ticks[-1].at) == (0, 100)
    assert ticks[0].narrow
    assert ticks[-1].narrow
    assert all(after.at - before.at >= 8.5 for before, after in pairwise(ticks))
    assert all(after.at - before.at >= 24 for before, after in pairwise([tick for tick in ticks if tick.narrow]))


def test_long_stages_have_most_of_the_width_and_round_times() -> None:
    scale = scale_of([0, 0, 300, 0, 900])

    assert [scale.duration(part) for part in range(1, 6)] == [0, 0, 300, 0, 900]
    assert [round(right - left, 6) for left, right in map(scale.stage, range(1, 6))] == [3, 3, 24.25, 3, 66.75]
    assert {"0:00:00", "0:05:00", "0:10:00", "0:15:00", "0:20:00"} == {tick.text for tick in scale.ticks}
    assert scale.at(Moment(150, 3)) == 6 + 24.25 / 2


def test_where_nothing_takes_time_stages_are_as_wide_as_each_other() -> None:
    scale = scale_of([0, 0, 0, 0])

    assert [scale.stage(part) for part in (1, 2, 3, 4)] == [(0, 25), (25, 50), (50, 75), (75, 100)]
    assert scale.at(Moment(0, 2)) == 37.5
    assert [(tick.at, tick.text) for tick in scale.ticks] == [(0, "0:00:00"), (100, "0:00:00")]


def test_a_deployment_without_stages_has_an_axis_too() -> None:
    scale = Scale([], 60)

    assert (scale.at(Moment(30, 0)), scale.stage(1), scale.duration(1)) == (50, (0, 100), 60)


def test_a_month_has_labels_too() -> None:
    assert len(scale_of([0, 30 * 86_400]).ticks) > 3


def test_the_scale_of_a_play() -> None:
    scale = Scale.of(recorded())

    assert [scale.duration(part) for part in range(1, 11)] == [0] * 8 + [900, 0]


def test_the_axis_has_its_labels_and_lines_at_the_same_places() -> None:
    scale = Scale([0, 0, 300], 1200)
    places = [re.findall(r'x1?="([0-9.]+%)"', each) for each in (axis(scale), grid(scale))]

    assert places[0] == places[1]
    assert len(places[0]) == len(scale.ticks)
    assert "0:20:00</text>" in axis(scale)
    assert axis(scale).count("wide-only") == sum(not tick.narrow for tick in scale.ticks) > 0
