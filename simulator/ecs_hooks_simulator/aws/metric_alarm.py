"""A CloudWatch alarm over the metrics of the simulator's load balancer, in the words of PutMetricAlarm.

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

NAMESPACE: Literal["AWS/ApplicationELB"] = "AWS/ApplicationELB"
FUNCTIONS: Literal["AWS/Lambda"] = "AWS/Lambda"
"""The namespace of a function's metrics, for deployments of functions."""
OF_FUNCTIONS = frozenset({"Invocations", "Errors", "Duration", "Throttles"})
"""The metrics of a function."""
_FILLED = {
    "LoadBalancer": (),
    "TargetGroup": ("{green.target_group}", "{blue.target_group}"),
    "FunctionName": (),
    "Resource": (),
    "ExecutedVersion": ("{green.version}", "{blue.version}"),
}
"""Dimensions that a metric may have, each with the values that it may have, where not any will do."""
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
_NO_MATTER = {
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
"""Fields of PutMetricAlarm and DescribeAlarms that change nothing here."""


class AlarmError(ValueError):
    """An alarm that can't be played; the message names the field."""


class MetricAlarm(BaseModel):
    """An alarm, as PutMetricAlarm takes it and DescribeAlarms gives it.

    The dimension `LoadBalancer` is the simulator's one, whatever its value. `TargetGroup` is `{green.target_group}` or
    `{blue.target_group}`, since target groups of a simulation have names of their own; without it the whole load
    balancer counts. Of a function that is deployed, `FunctionName` and `Resource` (its alias) are the simulator's, too, and
    `ExecutedVersion` is `{green.version}` or `{blue.version}`; without it the whole alias counts.
    """

    model_config = ConfigDict(alias_generator=to_pascal, validate_by_name=True, extra="forbid", frozen=True)

    alarm_name: Annotated[str, Field(min_length=1, max_length=255)]
    threshold: Annotated[float, Field(allow_inf_nan=False)]
    comparison_operator: Literal[
        "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
    ]
    evaluation_periods: Annotated[int, Field(ge=1, le=1440)] = 1
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = None
    """As many as `evaluation_periods` where None is given."""
    treat_missing_data: Literal["missing", "ignore", "breaching", "notBreaching"] = "missing"
    metric_name: str | None = None
    namespace: Literal["AWS/ApplicationELB", "AWS/Lambda"] = NAMESPACE
    """Those that the simulator measures: of a load balancer, or of a function that is deployed."""
    statistic: Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"] | None = None
    extended_statistic: str | None = None
    period: Annotated[int, Field(ge=60, multiple_of=60)] = 60
    """Seconds; the load balancer has a datapoint a minute."""
    dimensions: tuple[dict[str, str], ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()
    """For metric math: the queries of GetMetricData, one of them with `ReturnData`."""
    state_value: Literal["OK", "ALARM", "INSUFFICIENT_DATA"] | None = None
    """Its state before the story begins, as DescribeAlarms tells it. Otherwise OK, as of a service that is well, or where
    missing data are not treated as good or bad, INSUFFICIENT_DATA, as of a new alarm."""

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> MetricAlarm:
        """Make an alarm of the parameters of PutMetricAlarm, or of an alarm that DescribeAlarms has given.

        Raises
        ------
        AlarmError
            If anything is wrong, or nothing that the simulator can play.
        """
        given = {name: value for name, value in parameters.items() if name not in _NO_MATTER}
        try:
            return cls.model_validate(given, by_name=False, by_alias=True)
        except ValidationError as error:
            name = parameters.get("AlarmName")
            raise AlarmError("; ".join(_told(name, error))) from None

    @classmethod
    def parse(cls, text: str) -> MetricAlarm:
        """Make an alarm of `NAME: METRIC STATISTIC OPERATOR THRESHOLD`: one minute of it is enough, none is fine.

        Raises
        ------
        AlarmError
            If it is of another form.
        """
        found = _SHORT.fullmatch(text)
        if not found:
            raise AlarmError(
                f"{text!r} is not NAME: METRIC STATISTIC OPERATOR THRESHOLD, such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'"
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
    def _is_whole(self) -> MetricAlarm:
        if bool(self.metric_name) == bool(self.metrics):
            raise ValueError("give one of MetricName and Metrics")
        if self.metric_name and bool(self.statistic) == bool(self.extended_statistic):
            raise ValueError("give one of Statistic and ExtendedStatistic")
        if self.needed > self.evaluation_periods:
            raise ValueError(f"DatapointsToAlarm is {self.needed}, of {self.evaluation_periods} EvaluationPeriods")
        if self.metrics and sum(query.get("ReturnData", True) for query in self.metrics) != 1:
            raise ValueError("one of Metrics has ReturnData, the others have it false")
        for stat in self.stats:
            _check_stat(stat)
        if len({stat["Period"] for stat in self.stats}) != 1:
            raise ValueError("Metrics need a MetricStat, and each the same Period")
        return self

    @property
    def needed(self) -> int:
        """How many breaching datapoints it takes."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def queries(self) -> Sequence[Mapping[str, Any]]:
        """The queries of GetMetricData that it is evaluated by."""
        if self.metrics:
            return self.metrics
        metric = {"Namespace": self.namespace, "MetricName": self.metric_name, "Dimensions": list(self.dimensions)}
        stat = {"Metric": metric, "Period": self.period, "Stat": self.statistic or self.extended_statistic}
        return [{"Id": "metric", "MetricStat": stat}]

    @property
    def stats(self) -> list[Mapping[str, Any]]:
        """The metrics among its queries."""
        return [query["MetricStat"] for query in self.queries if "MetricStat" in query]

    @property
    def seconds(self) -> int:
        """Length of its periods."""
        return int(self.stats[0]["Period"])

    def breaches(self, value: float) -> bool:
        """Return whether a datapoint is beyond the threshold."""
        return OPERATORS[self.comparison_operator][1](value, self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters in the shape of DescribeAlarms, without those that it was given no value for."""
        shape = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"state_value"})
        unused = ("Namespace", "Period", "Dimensions") if self.metrics else ("Metrics",)
        return {name: value for name, value in shape.items() if name not in unused}


def _check_stat(stat: Mapping[str, Any]) -> None:
    metric = stat.get("Metric")
    period = stat.get("Period")
    if not isinstance(metric, Mapping) or type(period) is not int or period < 60 or period % 60:  # noqa: PLR2004
        raise ValueError("MetricStat needs a Metric, and a Period of whole minutes in seconds")
    if metric.get("Namespace") not in {NAMESPACE, FUNCTIONS}:
        raise ValueError(f"the simulator measures only {NAMESPACE} and {FUNCTIONS}, not {metric.get('Namespace')}")
    for dimension in metric.get("Dimensions") or ():
        name, value = dimension.get("Name"), dimension.get("Value")
        if name not in _FILLED or (_FILLED[name] and value not in _FILLED[name]):
            raise ValueError(
                f"dimension {name}={value}: the simulator knows LoadBalancer, and TargetGroup with the value "
                "{green.target_group} or {blue.target_group}; of a function FunctionName, Resource, and ExecutedVersion "
                "with the value {green.version} or {blue.version}"
            )


def _told(name: object, error: ValidationError) -> list[str]:
    start = f"alarm {name}: " if isinstance(name, str) else "alarm: "
    return [
        f"{start}{'.'.join(map(str, detail['loc']))}{': ' if detail['loc'] else ''}{detail['msg'].removeprefix('Value error, ')}"
        for detail in error.errors(include_url=False)
    ]
