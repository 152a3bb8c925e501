"""CloudWatch alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import pages, reading
from ecs_hooks.aws.errors import FactDeniedError

ACTION = "cloudwatch:DescribeAlarms"

_MOST = 100
"""Names that one DescribeAlarms takes, and alarms that it gives."""

_PAGES = 10


class Alarm(NamedTuple):
    """An alarm.

    Parameters
    ----------
    name
        Its name.
    state
        `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    since
        Since when, in seconds since the epoch; None where CloudWatch does not say.
    """

    name: str
    state: str
    since: float | None


def alarms(region: str, *, names: Sequence[str] = (), prefix: str = "") -> list[Alarm]:
    """Ask for metric and composite alarms.

    Parameters
    ----------
    region
        Region to ask.
    names
        Their names; or
    prefix
        what their names begin with.

    Raises
    ------
    FactError
        If CloudWatch does not answer.
    """
    which: list[dict[str, Any]] = [
        {"AlarmNames": list(names[index : index + _MOST])} for index in range(0, len(names), _MOST)
    ] or [{"AlarmNamePrefix": prefix}]
    kinds = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": _MOST}
    return [alarm for each in which for alarm in _described(region, {**each, **kinds})]


def _described(region: str, asked: dict[str, Any]) -> Iterator[Alarm]:
    message = f"{ACTION}: more than {_PAGES * _MOST} alarms; give names, or a prefix that fewer of them have"
    for answer in pages(ACTION, region, "NextToken", FactDeniedError(message), most=_PAGES, **asked):
        with reading(ACTION):
            for each in [*answer["MetricAlarms"], *answer["CompositeAlarms"]]:
                since = each.get("StateTransitionedTimestamp") or each.get("StateUpdatedTimestamp")
                yield Alarm(
                    each["AlarmName"],
                    each["StateValue"],
                    since.timestamp() if since else None,
                )
