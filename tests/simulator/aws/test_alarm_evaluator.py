from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_simulator import VirtualClock
from ecs_hooks_simulator.aws.alarm_evaluator import CloudWatchAlarms
from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm

ARN = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:"


class Metric:
    """Datapoints by the minute since the clock's beginning."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.began = self.clock.now()
        self.values: dict[int, float] = {}

    def measure(self, alarm: MetricAlarm, begin: float, end: float) -> dict[float, float]:
        series = {self.began + 60 * minute: value for minute, value in self.values.items()}
        return {stamp: value for stamp, value in series.items() if begin <= stamp < end}

    def alarms(self, **fields: Any) -> CloudWatchAlarms:
        alarm = MetricAlarm.parse("api: RequestCount Sum > 5").model_copy(update=fields)
        return CloudWatchAlarms([alarm], measure=self.measure, now=self.clock.now, arn=ARN)


def test_an_alarm_changes_with_the_period_that_is_over() -> None:
    metric = Metric()
    alarms = metric.alarms()
    metric.values = {0: 6, 1: 5}
    seen = []
    for _ in range(4):
        metric.clock.sleep(50)
        seen.append((alarms.states(["api", "other"]), [change.state for change in alarms.evaluate()]))

    assert seen == [({"api": "OK"}, []), ({"api": "OK"}, ["ALARM"]), ({"api": "ALARM"}, ["OK"]), ({"api": "OK"}, [])]
    assert alarms.names == ("api",)


def test_a_change_is_told_with_its_reason_and_moment() -> None:
    metric = Metric()
    alarms = metric.alarms(evaluation_periods=2, datapoints_to_alarm=1)
    metric.values = {0: 6, 1: 2}
    metric.clock.sleep(120)
    (change,) = alarms.evaluate()
    (described,) = alarms.describe()

    assert tuple(change) == (
        "api",
        "OK",
        "ALARM",
        (
            "Threshold Crossed: 1 out of the last 2 datapoints [6, 2] was greater than the threshold (5) "
            "(minimum 1 for ALARM; OK -> ALARM)"
        ),
    )
    assert described["StateReason"] == change.reason
    assert described["StateUpdatedTimestamp"].timestamp() == metric.began + 120
    assert (described["AlarmArn"], described["Threshold"], described["StateValue"]) == (f"{ARN}api", 5, "ALARM")
    metric.values = {2: 1, 3: 1}
    metric.clock.sleep(120)
    assert alarms.evaluate()[0].reason.startswith(
        "Threshold Crossed: 2 out of the last 2 datapoints [1, 1] was not greater than the threshold (5)"
    )


def test_one_datapoint_that_breaches_and_is_not_enough_is_told_as_such() -> None:
    metric = Metric()
    alarms = metric.alarms(evaluation_periods=2, treat_missing_data="missing")
    metric.values = {0: 6}
    metric.clock.sleep(60)

    assert [tuple(change)[1:] for change in alarms.evaluate()] == [
        (
            "INSUFFICIENT_DATA",
            "OK",
            (
                "Threshold Crossed: 1 out of the last 2 datapoints [6] was greater than the threshold (5) "
                "(minimum 2 for ALARM; INSUFFICIENT_DATA -> OK)"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("notBreaching", "OK"),
        ("breaching", "OK"),
    ],
)
@pytest.mark.parametrize("periods", [1, 3])
def test_what_an_alarm_is_at_first_it_is_until_there_are_data(missing: str, state: str, periods: int) -> None:
    metric = Metric()
    alarms = metric.alarms(treat_missing_data=missing, evaluation_periods=periods)
    before = alarms.states(["api"])
    metric.clock.sleep(30)

    assert alarms.evaluate() == []
    assert before == alarms.states(["api"]) == {"api": state}


@pytest.mark.parametrize("first", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_the_minutes_before_the_beginning_were_as_the_state_says(first: str) -> None:
    metric = Metric()
    alarms = metric.alarms(state_value=first, treat_missing_data="breaching", evaluation_periods=3)
    metric.values = {0: 6, 1: 6, 2: 6}
    seen = []
    for _ in range(3):
        metric.clock.sleep(60)
        seen.append([change.state for change in alarms.evaluate()])

    # The threshold is breached for three minutes: it takes those three, or those before them.
    assert seen == {"OK": [[], [], ["ALARM"]], "ALARM": [[], [], []]}.get(first, [["ALARM"], [], []])


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("missing", "2 missing datapoints"), ("breaching", "2 missing datapoints treated as breaching")],
)
def test_data_that_stop_coming_are_told(missing: str, reason: str) -> None:
    metric = Metric()
    alarms = metric.alarms(treat_missing_data=missing, evaluation_periods=2)
    alarms.set_state("api", "OK", "by hand")
    metric.clock.sleep(600)

    assert [change.reason for change in alarms.evaluate()] == [reason]


def test_one_missing_datapoint_is_one() -> None:
    metric = Metric()
    alarms = metric.alarms(state_value="ALARM", treat_missing_data="missing")

    assert alarms.states(["api"]) == {"api": "ALARM"}
    assert alarms.describe()[0]["StateUpdatedTimestamp"].timestamp() < metric.began
    metric.clock.sleep(600)
    assert [change.reason for change in alarms.evaluate()] == ["1 missing datapoint"]


def test_a_state_that_was_set_lasts_until_the_next_evaluation() -> None:
    metric = Metric()
    alarms = metric.alarms()
    alarms.set_state("api", "ALARM", "a drill")

    assert (alarms.states(["api"]), alarms.describe()[0]["StateReason"]) == ({"api": "ALARM"}, "a drill")
    assert [(change.state, change.reason) for change in alarms.evaluate()] == [
        ("OK", "Unchecked: as before the simulation began")
    ]
    with pytest.raises(KeyError):
        alarms.set_state("other", "OK")


def test_each_alarm_has_a_name_of_its_own() -> None:
    alarm = MetricAlarm.parse("api: RequestCount Sum > 5")

    with pytest.raises(AlarmError, match="a name of its own"):
        CloudWatchAlarms([alarm, alarm], measure=Metric().measure, now=VirtualClock().now, arn=ARN)
