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


def test_an_alarm_from_the_parameters_of_put_metric_alarm() -> None:
    alarm = MetricAlarm.read(PARAMETERS)

    assert (alarm.seconds, alarm.evaluation_periods, alarm.needed) == (120, 3, 2)
    assert alarm.queries[0]["MetricStat"]["Stat"] == "Sum"
    assert (alarm.breaches(10), alarm.breaches(9.9)) == (True, False)
    assert alarm.to_dict() == PARAMETERS


def test_further_fields_of_describe_alarms_are_ignored() -> None:
    described = {**PARAMETERS, "AlarmArn": "arn", "StateReason": "Unchecked", "AlarmActions": [], "StateValue": "ALARM"}

    assert MetricAlarm.read(described).to_dict() == PARAMETERS
    assert MetricAlarm.read(described).state_value == "ALARM"


def test_an_alarm_on_metric_math() -> None:
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
def test_an_invalid_line_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AlarmError, match="such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'"):
        MetricAlarm.parse(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Treshold": 1}, "alarm api-5xx: Treshold: unknown field; did you mean 'Threshold'?"),
        ({"alarm_name": "x"}, "alarm_name: unknown field; did you mean 'AlarmName'?"),
        ({"Threshold": "many"}, "Threshold: must be a number, not string"),
        ({"AlarmName": 5}, "alarm: AlarmName: must be a string, not"),
        ({"Period": 30}, "Period: "),
        ({"Period": 90}, "Period: "),
        ({"Namespace": "AWS/ECS"}, "Namespace: is not one of the allowed values (AWS/ApplicationELB, AWS/Lambda)"),
        ({"Statistic": None}, "Statistic, ExtendedStatistic: set exactly one of them"),
        ({"ExtendedStatistic": "p99"}, "Statistic, ExtendedStatistic: set exactly one of them"),
        ({"MetricName": None}, "MetricName, Metrics: set exactly one of them"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm: 4 is more than EvaluationPeriods (3)"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "ComparisonOperator: is not one of the allowed values"),
        (
            {"Dimensions": [{"Name": "TargetGroup", "Value": "targetgroup/real/1"}]},
            "value {green.target_group}",
        ),
        (
            {"Dimensions": [{"Name": "AvailabilityZone", "Value": "us-west-2a"}]},
            "dimension AvailabilityZone=us-west-2a",
        ),
    ],
)
def test_an_invalid_alarm_is_refused_with_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AlarmError) as error:
        MetricAlarm.read({**PARAMETERS, **change})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (
            [{"Id": "a", "MetricStat": STAT}, {"Id": "b", "MetricStat": STAT}],
            "set ReturnData to true in exactly one query",
        ),
        ([{"Id": "a", "Expression": "1"}], "need a MetricStat"),
        ([{"Id": "a", "MetricStat": {**STAT, "Period": 10}}], "a Period in seconds that is a multiple of 60"),
        ([{"Id": "a", "MetricStat": {"Period": 60}}], "MetricStat needs a Metric"),
        (
            [{"Id": "a", "MetricStat": {**STAT, "Metric": {"Namespace": "AWS/ECS"}}}],
            "namespace AWS/ECS is not supported",
        ),
        (
            [{"Id": "a", "MetricStat": STAT}, {"Id": "b", "MetricStat": {**STAT, "Period": 120}, "ReturnData": False}],
            "all with the same Period",
        ),
    ],
)
def test_invalid_metric_math_is_refused_with_the_reason(metrics: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(AlarmError, match=message):
        MetricAlarm.read({**RATE, "Metrics": metrics})
