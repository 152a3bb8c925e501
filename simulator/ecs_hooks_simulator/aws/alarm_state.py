"""Which state a CloudWatch alarm has, from its datapoints.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".

Example
-------
>>> X, O, _ = True, False, None  # breaching, not breaching, missing
>>> print(state([O, _, X, _, X], periods=3, to_alarm=3, missing="missing", before=State.OK))
OK
>>> print(state([_, _, X, _, _], periods=3, to_alarm=3, missing="missing", before=State.OK))
ALARM
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

EXTRA = 2
"""Datapoints beyond the evaluation periods that are asked for, in case some are missing: as many as in the guide's
examples. It says that the number depends on the period."""


class State(StrEnum):
    """`StateValue` of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def state(points: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str, before: State) -> State:
    """Return the state of an alarm.

    Parameters
    ----------
    points
        Whether each datapoint of the evaluation range breaches the threshold, the oldest first; None for one that is
        missing.
    periods, to_alarm
        `EvaluationPeriods` and `DatapointsToAlarm`: so many of so many.
    missing
        `TreatMissingData`.
    before
        The state so far.
    """
    real = [point for point in points if point is not None][-periods:]
    breaching = sum(real)
    if missing == "breaching":
        breaching += periods - len(real)
    if breaching >= to_alarm:
        return State.ALARM
    if len(real) == periods or missing in {"breaching", "notBreaching"} or not all(real):
        return State.OK
    # All that there is breaches, and is not enough.
    if missing == "ignore":
        return before
    if not real:
        return State.INSUFFICIENT_DATA
    oldest = len(points) - next(index for index, point in enumerate(points) if point is not None)
    return State.ALARM if oldest >= to_alarm else State.OK
