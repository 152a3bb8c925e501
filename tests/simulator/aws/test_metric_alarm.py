from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm

PARAMETERS: dict[str, Any] = {
    "AlarmName": "api-5xx",
    "Namespace": "AWS/ApplicationELB",
    "MetricName": "HTTPCode_Target_5XX_Count",
    "Dimensions": [
        {"Name": "LoadBalancer", "Value": "app/real/0123456789abcdef"},
        {"Name": "TargetGroup", "Value": "{green.target_group}"},
    ],
    "Statistic": "Sum",
    "Period": 120,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
STAT = {"Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}, "Period": 60, "Stat": "Sum"}
RATE = {
    **{name: PARAMETERS[name] for name in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")},
    "Metrics": [
        {"Id": "rate", "Expression": "100 * FILL(errors, 0) / requests"},
        {"Id": "errors", "MetricStat": STAT, "ReturnData": False},
        {"Id": "requests", "MetricStat": STAT, "ReturnData": False},
    ],
}


def test_an_alarm_is_made_of_what_awss_users_have() -> None:
    alarm = MetricAlarm.read(PARAMETERS)

    assert (alarm.seconds, alarm.evaluation_periods, alarm.needed) == (120, 3, 2)
    assert alarm.queries[0]["MetricStat"]["Stat"] == "Sum"
    assert (alarm.breaches(10), alarm.breaches(9.9)) == (True, False)
    assert alarm.to_dict() == PARAMETERS


def test_what_describe_alarms_adds_changes_nothing() -> None:
    described = {**PARAMETERS, "AlarmArn": "arn", "StateReason": "Unchecked", "AlarmActions": [], "StateValue": "ALARM"}

    assert MetricAlarm.read(described).to_dict() == PARAMETERS
    assert MetricAlarm.read(described).state_value == "ALARM"


def test_an_alarm_over_metric_math() -> None:
    alarm = MetricAlarm.read(RATE)

    assert (alarm.seconds, alarm.needed) == (60, 3)
    assert alarm.to_dict() == {**RATE, "TreatMissingData": "missing"}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("slow: TargetResponseTime p99 >= 0.5", ("p99", "GreaterThanOrEqualToThreshold", 0.5)),
        ("idle : RequestCount Sum<1", ("Sum", "LessThanThreshold", 1)),
        ("a b:RequestCount Average <= -2.5 ", ("Average", "LessThanOrEqualToThreshold", -2.5)),
    ],
)
def test_an_alarm_in_one_line(text: str, fields: tuple[str, str, float]) -> None:
    alarm = MetricAlarm.parse(text)

    assert (alarm.statistic or alarm.extended_statistic, alarm.comparison_operator, alarm.threshold) == fields
    assert (alarm.evaluation_periods, alarm.treat_missing_data) == (1, "notBreaching")
    assert alarm.alarm_name == text.partition(":")[0].strip()


@pytest.mark.parametrize("text", ["", "api-5xx", "api-5xx: RequestCount > 5", "api-5xx: RequestCount Sum = 5"])
def test_a_line_that_is_no_alarm_shows_one(text: str) -> None:
    with pytest.raises(AlarmError, match="such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'"):
        MetricAlarm.parse(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Treshold": 1}, "alarm api-5xx: Treshold: Extra inputs"),
        ({"alarm_name": "x"}, "alarm_name: Extra inputs"),
        ({"Threshold": "many"}, "Threshold: must be a number, not string"),
        ({"AlarmName": 5}, "alarm: AlarmName: must be a string, not"),
        ({"Period": 30}, "Period: "),
        ({"Period": 90}, "Period: "),
        ({"Namespace": "AWS/ECS"}, "Namespace: Input should be 'AWS/ApplicationELB'"),
        ({"Statistic": None}, "give one of Statistic and ExtendedStatistic"),
        ({"ExtendedStatistic": "p99"}, "give one of Statistic and ExtendedStatistic"),
        ({"MetricName": None}, "give one of MetricName and Metrics"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm is 4, of 3 EvaluationPeriods"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "ComparisonOperator: Input should be"),
        (
            {"Dimensions": [{"Name": "TargetGroup", "Value": "targetgroup/real/1"}]},
            "with the value {green.target_group}",
        ),
        (
            {"Dimensions": [{"Name": "AvailabilityZone", "Value": "us-west-2a"}]},
            "dimension AvailabilityZone=us-west-2a",
        ),
    ],
)
def test_an_alarm_that_can_not_be_played_names_the_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(AlarmError) as error:
        MetricAlarm.read({**PARAMETERS, **change})
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ([{"Id": "a", "MetricStat": STAT}, {"Id": "b", "MetricStat": STAT}], "one of Metrics has ReturnData"),
        ([{"Id": "a", "Expression": "1"}], "Metrics need a MetricStat"),
        ([{"Id": "a", "MetricStat": {**STAT, "Period": 10}}], "a Period of whole minutes"),
        ([{"Id": "a", "MetricStat": {"Period": 60}}], "MetricStat needs a Metric"),
        ([{"Id": "a", "MetricStat": {**STAT, "Metric": {"Namespace": "AWS/ECS"}}}], "not AWS/ECS"),
        (
            [{"Id": "a", "MetricStat": STAT}, {"Id": "b", "MetricStat": {**STAT, "Period": 120}, "ReturnData": False}],
            "each the same Period",
        ),
    ],
)
def test_metric_math_that_can_not_be_played_says_why(metrics: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(AlarmError, match=says):
        MetricAlarm.read({**RATE, "Metrics": metrics})
