"""CloudWatch metrics: many queries in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs_hooks.aws.call import pages, reading
from ecs_hooks.aws.errors import FactDeniedError, FactError

ACTION = "cloudwatch:GetMetricData"

MAX_QUERIES = 500
"""Queries that one GetMetricData takes."""

_PAGES = 20


class Series(NamedTuple):
    """The datapoints of a query.

    Parameters
    ----------
    points
        Seconds since the epoch, at which the period of a datapoint begins, and its value; oldest first.
    trouble
        What CloudWatch says was wrong with the query; empty where nothing was.
    denied
        Whether asking again is of no use.
    """

    points: tuple[tuple[float, float], ...]
    trouble: str = ""
    denied: bool = False

    def values(self, begin: float, end: float) -> list[float]:
        """Return the values of the datapoints whose period begins in this time.

        Raises
        ------
        FactError
            If CloudWatch could not answer the query.
        """
        return list(self.between(begin, end).values())

    def between(self, begin: float, end: float) -> dict[float, float]:
        """Return the datapoints whose period begins in this time, by when it does; see `values`."""
        if self.trouble:
            raise (FactDeniedError if self.denied else FactError)(f"{ACTION}: {self.trouble}")
        return {stamp: value for stamp, value in self.points if begin <= stamp < end}


def get_metric_data(region: str, queries: Sequence[Mapping[str, Any]], begin: float, end: float) -> dict[str, Series]:
    """Ask for the datapoints of queries, in as few calls as CloudWatch allows.

    Parameters
    ----------
    region
        Region to ask.
    queries
        `MetricDataQueries`, each with its own `Id`.
    begin, end
        The time asked for, in seconds since the epoch.

    Returns
    -------
    The series by `Id`, of those queries that return data.

    Raises
    ------
    FactError
        If CloudWatch does not answer.
    """
    message = f"{ACTION}: more than {_PAGES} pages of datapoints; use a longer period or a shorter window"
    found: dict[str, Series] = {}
    for index in range(0, len(queries), MAX_QUERIES):
        asked: dict[str, Any] = {
            "MetricDataQueries": list(queries[index : index + MAX_QUERIES]),
            "StartTime": datetime.fromtimestamp(begin, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
            "ScanBy": "TimestampAscending",
        }
        for answer in pages(ACTION, region, "NextToken", FactDeniedError(message), most=_PAGES, **asked):
            with reading(ACTION):
                for each in answer["MetricDataResults"]:
                    found[each["Id"]] = _joined(found.get(each["Id"]), each)
    return found


def _joined(before: Series | None, result: Mapping[str, Any]) -> Series:
    points = [
        (stamp.timestamp(), float(value)) for stamp, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]
    status = result.get("StatusCode") or "Complete"
    # PartialData only says that a further page has the rest; only what the last page says of the query counts.
    if status in {"Complete", "PartialData"}:
        return Series(tuple(sorted([*(before.points if before else ()), *points])))
    messages = [each.get("Value") or each.get("Code", "") for each in result.get("Messages", [])]
    return Series((), ", ".join([status, *messages])[:300], status == "Forbidden")
