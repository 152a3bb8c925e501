"""The alarms of a simulation at its AWS endpoint: what DescribeAlarms tells, and where their datapoints come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.aws.cloudwatch import statistic
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.alarm_evaluator import CloudWatchAlarms
    from ecs_hooks_simulator.aws.cloudwatch import CloudWatch, Metrics
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm


class AlarmMetrics:
    """The datapoints of alarms, as GetMetricData gives them.

    Parameters
    ----------
    cloudwatch
        Answers GetMetricData.
    metrics
        Knows the names of what is measured.
    """

    def __init__(self, cloudwatch: CloudWatch, metrics: Metrics) -> None:
        self._cloudwatch = cloudwatch
        self._metrics = metrics

    def check(self, alarm: MetricAlarm) -> None:
        """Make sure that an alarm can be evaluated, whatever the datapoints are.

        Raises
        ------
        EcsError
            If the simulator does not measure a metric, or does not know a statistic or an expression.
        """
        for stat in alarm.stats:
            namespace = stat["Metric"].get("Namespace")
            if namespace != self._metrics.namespace:
                raise EcsError(
                    "ValidationError", f"this simulation measures {self._metrics.namespace}, not {namespace}"
                )
            statistic(str(stat.get("Stat")), [0.0])
        self.measure(alarm, 0, 0)

    def measure(self, alarm: MetricAlarm, begin: float, end: float) -> Mapping[float, float]:
        """Return the datapoints between two times: value by the second at which the period begins."""
        asked = {
            "MetricDataQueries": [self._query(query) for query in alarm.queries],
            "StartTime": datetime.fromtimestamp(begin, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
        }
        answer = self._cloudwatch.answer("GetMetricData", asked)
        assert answer is not None, "every metric of an alarm is this load balancer's"
        (result,) = answer["MetricDataResults"]
        stamps = (stamp.timestamp() for stamp in result["Timestamps"])
        return dict(zip(stamps, result["Values"], strict=True))

    def _query(self, query: Mapping[str, Any]) -> dict[str, Any]:
        if "MetricStat" not in query:
            return dict(query)
        stat = query["MetricStat"]
        names = {each["Name"]: each["Value"] for each in stat["Metric"].get("Dimensions") or ()}
        dimensions = [{"Name": name, "Value": value} for name, value in self._metrics.filled(names).items()]
        return {**query, "MetricStat": {**stat, "Metric": {**stat["Metric"], "Dimensions": dimensions}}}


class AlarmStates:
    """Answers for the alarms of a simulation.

    Parameters
    ----------
    alarms
        The alarms.
    """

    def __init__(self, alarms: CloudWatchAlarms) -> None:
        self._alarms = alarms

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about one of these alarms at least, by name or by prefix."""
        if operation != "DescribeAlarms":
            return None
        prefix = str(asked.get("AlarmNamePrefix") or "")
        names = asked.get("AlarmNames") or [name for name in self._alarms.names if name.startswith(prefix)]
        found = [alarm for alarm in self._alarms.describe() if alarm["AlarmName"] in names]
        if not found:
            return None
        states = [asked["StateValue"]] if asked.get("StateValue") else ["OK", "ALARM", "INSUFFICIENT_DATA"]
        metric = "MetricAlarm" in (asked.get("AlarmTypes") or ["MetricAlarm"])
        alarms = [alarm for alarm in found if metric and alarm["StateValue"] in states]
        return {"MetricAlarms": alarms, "CompositeAlarms": []}
