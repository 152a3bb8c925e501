"""CloudWatch's alarms over what the load balancer has measured: their states, minute by minute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecs_hooks_simulator.aws.alarm_state import EXTRA, State, state
from ecs_hooks_simulator.aws.metric_alarm import OPERATORS, AlarmError, MetricAlarm
from ecs_hooks_simulator.core.protocols import AlarmChange

Measure = Callable[[MetricAlarm, float, float], Mapping[float, float]]
"""Datapoints of an alarm's metric between two times: value by the second at which the period begins."""

_BEFORE = {State.OK: False, State.ALARM: True, State.INSUFFICIENT_DATA: None}
"""What the datapoints were before the story begins, of which nothing is known but the state that they have led to."""
_UNCHECKED = "Unchecked: as before the simulation began"
_COMPARED = {">=": "greater than or equal to", ">": "greater than", "<": "less than", "<=": "less than or equal to"}


@dataclass(slots=True)
class _Present:
    """An alarm as it is."""

    alarm: MetricAlarm
    first: State
    value: State
    reason: str
    since: float


class CloudWatchAlarms:
    """The alarms of a simulation; safe to ask from any thread.

    Parameters
    ----------
    alarms
        What they are, each with a name of its own.
    measure
        Returns the datapoints of an alarm's metric.
    now
        The simulation's time, in seconds since the epoch.
    arn
        What their ARNs begin with, to the last colon.

    Raises
    ------
    AlarmError
        If two have the same name.
    """

    def __init__(self, alarms: Sequence[MetricAlarm], *, measure: Measure, now: Callable[[], float], arn: str) -> None:
        self._measure = measure
        self._now = now
        self._arn = arn
        self._lock = threading.Lock()
        self._began = now()
        self._present: dict[str, _Present] = {}
        for alarm in alarms:
            first = _first(alarm)
            # What an alarm is at first it was already before the story begins.
            self._present[alarm.alarm_name] = _Present(alarm, first, first, _UNCHECKED, self._began - 1)
        if len(self._present) < len(alarms):
            raise AlarmError("each alarm needs a name of its own")

    @property
    def names(self) -> Sequence[str]:
        """The names of all."""
        return tuple(self._present)

    def evaluate(self) -> Sequence[AlarmChange]:
        """Look at the periods that are over, and return which alarms have another state."""
        return [change for present in self._present.values() for change in self._evaluated(present)]

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the states of those that there are."""
        with self._lock:
            return {name: str(self._present[name].value) for name in names if name in self._present}

    def set_state(self, name: str, value: str, reason: str = "") -> None:
        """Put an alarm into a state until it is evaluated next, as SetAlarmState does.

        Raises
        ------
        KeyError
            If there is no such alarm.
        """
        self._change(self._present[name], State(value), reason)

    def describe(self) -> list[dict[str, Any]]:
        """Return all alarms in the shape of DescribeAlarms."""
        with self._lock:
            return [self._described(present) for present in self._present.values()]

    def _described(self, present: _Present) -> dict[str, Any]:
        since = datetime.fromtimestamp(present.since, UTC)
        return {
            **present.alarm.to_dict(),
            "AlarmArn": f"{self._arn}{present.alarm.alarm_name}",
            "ActionsEnabled": True,
            "StateValue": str(present.value),
            "StateReason": present.reason,
            "StateUpdatedTimestamp": since,
            "StateTransitionedTimestamp": since,
        }

    def _evaluated(self, present: _Present) -> Iterator[AlarmChange]:
        alarm, period = present.alarm, present.alarm.seconds
        end = self._now() // period * period
        stamps = [end - back * period for back in range(alarm.evaluation_periods + EXTRA, 0, -1)]
        series = self._measure(alarm, stamps[0], end)
        after = state(
            [self._breaches(present, stamp, series.get(stamp)) for stamp in stamps],
            periods=alarm.evaluation_periods,
            to_alarm=alarm.needed,
            missing=alarm.treat_missing_data,
            before=present.value,
        )
        if after is not present.value:
            values = [series.get(stamp) for stamp in stamps]
            reason = _reason(alarm, after, values, present.value) if end > self._began else _UNCHECKED
            yield self._change(present, after, reason)

    def _breaches(self, present: _Present, stamp: float, value: float | None) -> bool | None:
        if value is not None:
            return present.alarm.breaches(value)
        return _BEFORE[present.first] if stamp < self._began else None

    def _change(self, present: _Present, after: State, reason: str) -> AlarmChange:
        with self._lock:
            change = AlarmChange(present.alarm.alarm_name, str(present.value), str(after), reason)
            present.value, present.reason, present.since = after, reason, self._now()
        return change


def _first(alarm: MetricAlarm) -> State:
    if alarm.state_value is not None:
        return State(alarm.state_value)
    knows = alarm.treat_missing_data in {"breaching", "notBreaching"}
    return State.OK if knows else State.INSUFFICIENT_DATA


def _reason(alarm: MetricAlarm, after: State, values: Sequence[float | None], before: State) -> str:
    """Return a reason after the pattern of CloudWatch's own."""
    real = [value for value in values if value is not None][-alarm.evaluation_periods :]
    shown = ", ".join(f"{value:.3g}" for value in real)
    if after is State.INSUFFICIENT_DATA or not real:
        plural = "" if alarm.evaluation_periods == 1 else "s"
        treated = f" treated as {alarm.treat_missing_data}" if after is not State.INSUFFICIENT_DATA else ""
        return f"{alarm.evaluation_periods} missing datapoint{plural}{treated}"
    breaching = sum(map(alarm.breaches, real))
    # Fewer breaching ones than it takes are told as those that do not breach, where there are any.
    told_breaching = after is State.ALARM or breaching == len(real)
    count = breaching if told_breaching else len(real) - breaching
    verb = f"{'was' if told_breaching else 'was not'} {_COMPARED[OPERATORS[alarm.comparison_operator][0]]}"
    return (
        f"Threshold Crossed: {count} out of the last {alarm.evaluation_periods} datapoints [{shown}] {verb} the threshold "
        f"({alarm.threshold:g}) (minimum {alarm.needed} for ALARM; {before} -> {after})"
    )
