"""The CloudWatch alarms of a simulation, evaluated every minute.

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

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ecs_hooks_simulator.aws.metric_alarm import OPERATORS, AlarmError, MetricAlarm
from ecs_hooks_simulator.core.protocols import AlarmChange

EXTRA = 2
"""Datapoints that are read beyond the evaluation periods, in case some are missing: as many as in the guide's examples.
According to the guide, the number depends on the period."""

Measure = Callable[[MetricAlarm, float, float], Mapping[float, float]]
"""Returns the datapoints of an alarm between two times: value by the second at which the period begins."""


class State(StrEnum):
    """`StateValue` of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


_EARLIER = {State.OK: False, State.ALARM: True, State.INSUFFICIENT_DATA: None}
"""Datapoints before the simulation began, inferred from the first state."""
_UNCHECKED = "Unchecked: as before the simulation began"
_COMPARED = {">=": "greater than or equal to", ">": "greater than", "<": "less than", "<=": "less than or equal to"}


def state(points: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str, before: State) -> State:
    """Return the state of an alarm.

    Parameters
    ----------
    points
        Whether each datapoint of the evaluation range breaches the threshold, oldest first; None for a missing one.
    periods, to_alarm
        `EvaluationPeriods` and `DatapointsToAlarm`.
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
    # All datapoints breach, but there are too few of them.
    if missing == "ignore":
        return before
    if not real:
        return State.INSUFFICIENT_DATA
    oldest = len(points) - next(index for index, point in enumerate(points) if point is not None)
    return State.ALARM if oldest >= to_alarm else State.OK


@dataclass(slots=True)
class _Current:
    """An alarm with its first and its current state."""

    alarm: MetricAlarm
    first: State
    value: State
    reason: str
    since: float


class CloudWatchAlarms:
    """The alarms of a simulation; thread-safe.

    Parameters
    ----------
    alarms
        The alarms.
    measure
        Returns the datapoints of an alarm.
    now
        Returns the simulation's time in seconds since the epoch.
    arn
        The beginning of the ARNs, up to the last colon.

    Raises
    ------
    AlarmError
        If two alarms have the same name.
    """

    def __init__(self, alarms: Sequence[MetricAlarm], *, measure: Measure, now: Callable[[], float], arn: str) -> None:
        self._measure = measure
        self._now = now
        self._arn = arn
        self._lock = threading.Lock()
        self._began = now()
        self._alarms: dict[str, _Current] = {}
        for alarm in alarms:
            if alarm.alarm_name in self._alarms:
                raise AlarmError(f"alarm {alarm.alarm_name}: duplicate AlarmName; give each alarm a different name")
            first = _first(alarm)
            # An alarm had its first state before the simulation began.
            self._alarms[alarm.alarm_name] = _Current(alarm, first, first, _UNCHECKED, self._began - 1)

    @property
    def names(self) -> Sequence[str]:
        """The names of all alarms."""
        return tuple(self._alarms)

    def evaluate(self) -> Sequence[AlarmChange]:
        """Evaluate the periods that are over, and return the changes of state."""
        return [change for current in self._alarms.values() for change in self._evaluated(current)]

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the states by name; names of no alarm are left out."""
        with self._lock:
            return {name: str(self._alarms[name].value) for name in names if name in self._alarms}

    def set_state(self, name: str, value: str, reason: str = "") -> None:
        """Set the state until the next evaluation, as SetAlarmState does.

        Raises
        ------
        KeyError
            If there is no such alarm.
        """
        self._change(self._alarms[name], State(value), reason)

    def describe(self) -> list[dict[str, Any]]:
        """Return all alarms in the shape of DescribeAlarms."""
        with self._lock:
            return [self._described(current) for current in self._alarms.values()]

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer DescribeAlarms if it is about one or more of these alarms, by name or by prefix."""
        if operation != "DescribeAlarms":
            return None
        prefix = str(request.get("AlarmNamePrefix") or "")
        names = request.get("AlarmNames") or [name for name in self._alarms if name.startswith(prefix)]
        found = [alarm for alarm in self.describe() if alarm["AlarmName"] in names]
        if not found:
            return None
        states = [request["StateValue"]] if request.get("StateValue") else list(State)
        metric = "MetricAlarm" in (request.get("AlarmTypes") or ["MetricAlarm"])
        alarms = [alarm for alarm in found if metric and alarm["StateValue"] in states]
        return {"MetricAlarms": alarms, "CompositeAlarms": []}

    def _described(self, current: _Current) -> dict[str, Any]:
        since = datetime.fromtimestamp(current.since, UTC)
        return {
            **current.alarm.to_dict(),
            "AlarmArn": f"{self._arn}{current.alarm.alarm_name}",
            "ActionsEnabled": True,
            "StateValue": str(current.value),
            "StateReason": current.reason,
            "StateUpdatedTimestamp": since,
            "StateTransitionedTimestamp": since,
        }

    def _evaluated(self, current: _Current) -> Iterator[AlarmChange]:
        alarm, period = current.alarm, current.alarm.seconds
        end = self._now() // period * period
        stamps = [end - back * period for back in range(alarm.evaluation_periods + EXTRA, 0, -1)]
        series = self._measure(alarm, stamps[0], end)
        after = state(
            [self._breaches(current, stamp, series.get(stamp)) for stamp in stamps],
            periods=alarm.evaluation_periods,
            to_alarm=alarm.needed,
            missing=alarm.treat_missing_data,
            before=current.value,
        )
        if after is not current.value:
            values = [series.get(stamp) for stamp in stamps]
            reason = _reason(alarm, after, values, current.value) if end > self._began else _UNCHECKED
            yield self._change(current, after, reason)

    def _breaches(self, current: _Current, stamp: float, value: float | None) -> bool | None:
        if value is not None:
            return current.alarm.breaches(value)
        return _EARLIER[current.first] if stamp < self._began else None

    def _change(self, current: _Current, after: State, reason: str) -> AlarmChange:
        with self._lock:
            change = AlarmChange(current.alarm.alarm_name, str(current.value), str(after), reason)
            current.value, current.reason, current.since = after, reason, self._now()
        return change


def _first(alarm: MetricAlarm) -> State:
    if alarm.state_value is not None:
        return State(alarm.state_value)
    return State.OK if alarm.treat_missing_data in {"breaching", "notBreaching"} else State.INSUFFICIENT_DATA


def _reason(alarm: MetricAlarm, after: State, values: Sequence[float | None], before: State) -> str:
    """Return a reason in the form of CloudWatch's own."""
    real = [value for value in values if value is not None][-alarm.evaluation_periods :]
    shown = ", ".join(f"{value:.3g}" for value in real)
    if after is State.INSUFFICIENT_DATA or not real:
        plural = "" if alarm.evaluation_periods == 1 else "s"
        treated = f" treated as {alarm.treat_missing_data}" if after is not State.INSUFFICIENT_DATA else ""
        return f"{alarm.evaluation_periods} missing datapoint{plural}{treated}"
    breaching = sum(map(alarm.breaches, real))
    # Without an alarm, the reason counts the datapoints that do not breach, if there are any.
    counts_breaching = after is State.ALARM or breaching == len(real)
    count = breaching if counts_breaching else len(real) - breaching
    verb = f"{'was' if counts_breaching else 'was not'} {_COMPARED[OPERATORS[alarm.comparison_operator][0]]}"
    return (
        f"Threshold Crossed: {count} out of the last {alarm.evaluation_periods} datapoints [{shown}] {verb} the threshold "
        f"({alarm.threshold:g}) (minimum {alarm.needed} for ALARM; {before} -> {after})"
    )
