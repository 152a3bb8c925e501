"""A CloudWatch alarm on the metrics of the simulator's load balancer or function, in the terms of PutMetricAlarm.

Example
-------
>>> alarm = MetricAlarm.parse("api-5xx: HTTPCode_Target_5XX_Count Sum > 5")
>>> alarm.alarm_name, alarm.statistic, alarm.threshold, alarm.period
('api-5xx', 'Sum', 5.0, 60)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from ecs_hooks.core.validation_errors import error_lines

NAMESPACE: Literal["AWS/ApplicationELB"] = "AWS/ApplicationELB"
FUNCTIONS: Literal["AWS/Lambda"] = "AWS/Lambda"
"""The namespace of a Lambda function's metrics."""
OF_FUNCTIONS = frozenset({"Invocations", "Errors", "Duration", "Throttles"})
"""The metrics of a Lambda function."""
_FILLED = {
    "LoadBalancer": (),
    "TargetGroup": ("{green.target_group}", "{blue.target_group}"),
    "FunctionName": (),
    "Resource": (),
    "ExecutedVersion": ("{green.version}", "{blue.version}"),
}
"""The allowed dimensions with their allowed values; empty for any value."""
OPERATORS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": (">=", operator.ge),
    "GreaterThanThreshold": (">", operator.gt),
    "LessThanThreshold": ("<", operator.lt),
    "LessThanOrEqualToThreshold": ("<=", operator.le),
}
_SYMBOLS = {symbol: name for name, (symbol, _) in OPERATORS.items()}
_STATISTICS = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
_SHORT = re.compile(
    r"(?P<name>[^:]+):\s*(?P<metric>\w+)\s+(?P<stat>[\w.]+)\s*(?P<operator>[<>]=?)\s*(?P<threshold>-?\d+(\.\d+)?)\s*"
)
_IGNORED = {
    "ActionConfiguration",
    "ActionsEnabled",
    "AlarmActions",
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "AlarmDescription",
    "EvaluateLowSampleCountPercentile",
    "EvaluationState",
    "InsufficientDataActions",
    "OKActions",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "Tags",
    "Unit",
}
"""Fields of PutMetricAlarm and DescribeAlarms without effect in a simulation."""


class AlarmError(ValueError):
    """The alarm is invalid or not supported; the message names the field."""


class MetricAlarm(BaseModel):
    """An alarm in the form of PutMetricAlarm and DescribeAlarms.

    Any value of the dimension `LoadBalancer` means the simulator's load balancer. `TargetGroup` is `{green.target_group}`
    or `{blue.target_group}`; without it, the metric covers the whole load balancer. For a Lambda function, any value of
    `FunctionName` and `Resource` means the simulator's function and alias, and `ExecutedVersion` is `{green.version}` or
    `{blue.version}`; without it, the metric covers the whole alias.
    """

    model_config = ConfigDict(alias_generator=to_pascal, validate_by_name=True, extra="forbid", frozen=True)

    alarm_name: Annotated[str, Field(min_length=1, max_length=255)]
    threshold: Annotated[float, Field(allow_inf_nan=False)]
    comparison_operator: Literal[
        "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
    ]
    evaluation_periods: Annotated[int, Field(ge=1, le=1440)] = 1
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = None
    """`evaluation_periods` for None."""
    treat_missing_data: Literal["missing", "ignore", "breaching", "notBreaching"] = "missing"
    metric_name: str | None = None
    namespace: Literal["AWS/ApplicationELB", "AWS/Lambda"] = NAMESPACE
    statistic: Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"] | None = None
    extended_statistic: str | None = None
    period: Annotated[int, Field(ge=60, multiple_of=60)] = 60
    """Seconds; the load balancer has one datapoint a minute."""
    dimensions: tuple[dict[str, str], ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()
    """For metric math: queries of GetMetricData, one of them with `ReturnData`."""
    state_value: Literal["OK", "ALARM", "INSUFFICIENT_DATA"] | None = None
    """The state before the simulation begins. Default: OK if missing data are treated as breaching or not breaching,
    else INSUFFICIENT_DATA."""

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> MetricAlarm:
        """Return the alarm with the parameters of PutMetricAlarm, or of an alarm in the response of DescribeAlarms.

        Raises
        ------
        AlarmError
            If it is invalid or not supported by the simulator.
        """
        given = {name: value for name, value in parameters.items() if name not in _IGNORED}
        try:
            return cls.model_validate(given, by_name=False, by_alias=True)
        except ValidationError as error:
            name = parameters.get("AlarmName")
            alarm = f"alarm {name}" if isinstance(name, str) else "alarm"
            lines = [line.removeprefix(".").removeprefix(": ") for line in error_lines(error, "", cls)]
            raise AlarmError("; ".join(f"{alarm}: {line}" for line in lines)) from None

    @classmethod
    def parse(cls, text: str) -> MetricAlarm:
        """Return the alarm `NAME: METRIC STATISTIC OPERATOR THRESHOLD`: one breaching minute is enough, missing data is OK.

        Raises
        ------
        AlarmError
            If the text has another form.
        """
        found = _SHORT.fullmatch(text)
        if not found:
            raise AlarmError(
                f"{text!r}: expected NAME: METRIC STATISTIC OPERATOR THRESHOLD, "
                "such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'"
            )
        stat = found.group("stat")
        return cls.read(
            {
                "AlarmName": found.group("name").strip(),
                "MetricName": found.group("metric"),
                "Namespace": FUNCTIONS if found.group("metric") in OF_FUNCTIONS else NAMESPACE,
                "Statistic" if stat in _STATISTICS else "ExtendedStatistic": stat,
                "ComparisonOperator": _SYMBOLS[found.group("operator")],
                "Threshold": float(found.group("threshold")),
                # Minutes without an error have no datapoint of HTTPCode_Target_5XX_Count.
                "TreatMissingData": "notBreaching",
            }
        )

    @model_validator(mode="after")
    def _check(self) -> MetricAlarm:
        if bool(self.metric_name) == bool(self.metrics):
            raise ValueError("MetricName, Metrics: set exactly one of them")
        if self.metric_name and bool(self.statistic) == bool(self.extended_statistic):
            raise ValueError("Statistic, ExtendedStatistic: set exactly one of them")
        if self.needed > self.evaluation_periods:
            raise ValueError(
                f"DatapointsToAlarm: {self.needed} is more than EvaluationPeriods ({self.evaluation_periods})"
            )
        if self.metrics and sum(query.get("ReturnData", True) for query in self.metrics) != 1:
            raise ValueError("Metrics: set ReturnData to true in exactly one query")
        for stat in self.stats:
            _check_stat(stat)
        if len({stat["Period"] for stat in self.stats}) != 1:
            raise ValueError("Metrics: one or more queries need a MetricStat, all with the same Period")
        return self

    @property
    def needed(self) -> int:
        """The number of breaching datapoints that raises the alarm."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def queries(self) -> Sequence[Mapping[str, Any]]:
        """The queries of GetMetricData that return its datapoints."""
        if self.metrics:
            return self.metrics
        metric = {"Namespace": self.namespace, "MetricName": self.metric_name, "Dimensions": list(self.dimensions)}
        stat = {"Metric": metric, "Period": self.period, "Stat": self.statistic or self.extended_statistic}
        return [{"Id": "metric", "MetricStat": stat}]

    @property
    def stats(self) -> list[Mapping[str, Any]]:
        """The `MetricStat` of its queries."""
        return [query["MetricStat"] for query in self.queries if "MetricStat" in query]

    @property
    def seconds(self) -> int:
        """The period in seconds."""
        return int(self.stats[0]["Period"])

    def breaches(self, value: float) -> bool:
        """Return whether a datapoint breaches the threshold."""
        return OPERATORS[self.comparison_operator][1](value, self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters that are set, in the shape of DescribeAlarms."""
        shape = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"state_value"})
        unused = ("Namespace", "Period", "Dimensions") if self.metrics else ("Metrics",)
        return {name: value for name, value in shape.items() if name not in unused}


def _check_stat(stat: Mapping[str, Any]) -> None:
    metric = stat.get("Metric")
    period = stat.get("Period")
    if not isinstance(metric, Mapping) or type(period) is not int or period < 60 or period % 60:  # noqa: PLR2004
        raise ValueError("Metrics: MetricStat needs a Metric, and a Period in seconds that is a multiple of 60")
    if metric.get("Namespace") not in {NAMESPACE, FUNCTIONS}:
        raise ValueError(
            f"namespace {metric.get('Namespace')} is not supported by the simulator; use {NAMESPACE} or {FUNCTIONS}"
        )
    for dimension in metric.get("Dimensions") or ():
        name, value = dimension.get("Name"), dimension.get("Value")
        if name not in _FILLED or (_FILLED[name] and value not in _FILLED[name]):
            raise ValueError(
                f"dimension {name}={value} is not supported by the simulator; use LoadBalancer, or TargetGroup with the "
                "value {green.target_group} or {blue.target_group}; for a function FunctionName, Resource, or "
                "ExecutedVersion with the value {green.version} or {blue.version}"
            )
