"""CloudWatch alarms and metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws_pages, parsing
from ecs_hooks.aws.errors import FactDeniedError, FactError

DESCRIBE_ALARMS = "cloudwatch:DescribeAlarms"
GET_METRIC_DATA = "cloudwatch:GetMetricData"

MAX_QUERIES = 500
"""Most queries in one GetMetricData."""

_MAX_ALARMS = 100
"""Most alarm names in one DescribeAlarms, and most alarms in its response."""

_ALARM_PAGES = 10
_METRIC_PAGES = 20


class Alarm(NamedTuple):
    """An alarm.

    Parameters
    ----------
    name
        Its name.
    state
        `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    since
        Time of the last change of state, in seconds since the epoch; None if CloudWatch does not return it.
    """

    name: str
    state: str
    since: float | None


def describe_alarms(region: str, *, names: Sequence[str] = (), prefix: str = "") -> list[Alarm]:
    """Return metric and composite alarms, by name or by the prefix of their names."""
    selections: list[dict[str, Any]] = [
        {"AlarmNames": list(names[index : index + _MAX_ALARMS])} for index in range(0, len(names), _MAX_ALARMS)
    ] or [{"AlarmNamePrefix": prefix}]
    return [alarm for selection in selections for alarm in _described(region, selection)]


def _described(region: str, selection: dict[str, Any]) -> Iterator[Alarm]:
    too_many = FactDeniedError(
        f"{DESCRIBE_ALARMS}: more than {_ALARM_PAGES * _MAX_ALARMS} alarms match; give names or a longer prefix"
    )
    parameters = {**selection, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": _MAX_ALARMS}
    for response in call_aws_pages(DESCRIBE_ALARMS, region, "NextToken", too_many, most=_ALARM_PAGES, **parameters):
        with parsing(DESCRIBE_ALARMS):
            for each in [*response["MetricAlarms"], *response["CompositeAlarms"]]:
                since = each.get("StateTransitionedTimestamp") or each.get("StateUpdatedTimestamp")
                yield Alarm(each["AlarmName"], each["StateValue"], since.timestamp() if since else None)


class Series(NamedTuple):
    """The datapoints of a query.

    Parameters
    ----------
    points
        Start of each datapoint's period, in seconds since the epoch, and its value; oldest first.
    error
        CloudWatch's error for the query; empty if there is none.
    permanent
        Whether the same query will fail again.
    """

    points: tuple[tuple[float, float], ...]
    error: str = ""
    permanent: bool = False

    def values(self, begin: float, end: float) -> list[float]:
        """Return the values of the datapoints whose period starts in this interval; see `between`."""
        return list(self.between(begin, end).values())

    def between(self, begin: float, end: float) -> dict[float, float]:
        """Return the datapoints whose period starts in this interval, by its start; raise the error of the query."""
        if self.error:
            raise (FactDeniedError if self.permanent else FactError)(f"{GET_METRIC_DATA}: {self.error}")
        return {stamp: value for stamp, value in self.points if begin <= stamp < end}


def get_metric_data(region: str, queries: Sequence[Mapping[str, Any]], begin: float, end: float) -> dict[str, Series]:
    """Return the datapoints of each query that returns data, by its `Id`, in as few calls as possible.

    Parameters
    ----------
    region
        Region of the metrics.
    queries
        `MetricDataQueries`, each with its own `Id`.
    begin, end
        The interval, in seconds since the epoch.
    """
    too_many = FactDeniedError(
        f"{GET_METRIC_DATA}: more than {_METRIC_PAGES} pages of datapoints; use a longer period or a shorter window"
    )
    found: dict[str, Series] = {}
    for index in range(0, len(queries), MAX_QUERIES):
        parameters: dict[str, Any] = {
            "MetricDataQueries": list(queries[index : index + MAX_QUERIES]),
            "StartTime": datetime.fromtimestamp(begin, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
            "ScanBy": "TimestampAscending",
        }
        for response in call_aws_pages(
            GET_METRIC_DATA, region, "NextToken", too_many, most=_METRIC_PAGES, **parameters
        ):
            with parsing(GET_METRIC_DATA):
                for each in response["MetricDataResults"]:
                    found[each["Id"]] = _merged(found.get(each["Id"]), each)
    return found


def _merged(before: Series | None, result: Mapping[str, Any]) -> Series:
    # NaN, which is neither above nor below any limit, is missing data.
    points = [
        (stamp.timestamp(), float(value))
        for stamp, value in zip(result["Timestamps"], result["Values"], strict=True)
        if not math.isnan(value)
    ]
    status = result.get("StatusCode") or "Complete"
    # PartialData means that a further page has the rest; the status of the last page decides.
    if status in {"Complete", "PartialData"}:
        return Series(tuple(sorted([*(before.points if before else ()), *points])))
    messages = [each.get("Value") or each.get("Code", "") for each in result.get("Messages", [])]
    return Series((), ", ".join([status, *messages])[:300], status == "Forbidden")
