"""The tables of the CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator.aws.alarm_state import State, state

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
POINTS: dict[str, bool | None] = {"0": False, "X": True, "-": None}
KEPT = "Retain current state"
ALL_OK, ALL_ALARM = (("OK",) * 4, ("ALARM",) * 4)

THREE_OF_THREE = {
    "0 - X - X": ALL_OK,
    "0 - - - -": ALL_OK,
    "- - - - -": ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
    "0 X X - X": ALL_ALARM,
    "- - X - -": ("ALARM", KEPT, "ALARM", "OK"),
    # From the text below the tables: the next datapoint may be a good one.
    "- - - X -": ("OK", KEPT, "ALARM", "OK"),
    "- - - - X": ("OK", KEPT, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ALL_ALARM,
    "0 0 X 0 X": ALL_ALARM,
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", KEPT, "ALARM", "OK"),
}
ROWS = [
    (to_alarm, points, missing, expected)
    for to_alarm, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, row in table.items()
    for missing, expected in zip(TREATMENTS, row, strict=True)
]


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize(("to_alarm", "points", "missing", "expected"), ROWS)
def test_every_cell_of_the_guide(to_alarm: int, points: str, missing: str, expected: str, before: State) -> None:
    found = state(
        [POINTS[point] for point in points.split()], periods=3, to_alarm=to_alarm, missing=missing, before=before
    )

    assert found == (before if expected == KEPT else expected)


@given(
    points=st.lists(st.booleans(), min_size=7, max_size=7),
    to_alarm=st.integers(1, 5),
    missing=st.sampled_from(TREATMENTS),
    before=st.sampled_from(State),
)
def test_without_a_gap_the_last_periods_are_counted(
    points: list[bool], to_alarm: int, missing: str, before: State
) -> None:
    found = state(points, periods=5, to_alarm=to_alarm, missing=missing, before=before)

    assert found == (State.ALARM if sum(points[-5:]) >= to_alarm else State.OK)
