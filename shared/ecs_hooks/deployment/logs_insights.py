"""CloudWatch Logs Insights: queries over the log streams of a revision's tasks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.aws.call import ask_page, reading
from ecs_hooks.aws.errors import FactDeniedError, FactError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.logs import LogConfiguration

START = "logs:StartQuery"
RESULTS = "logs:GetQueryResults"

MAX_LENGTH = 10_000
"""Characters that a query may have."""

_ENDED = {"Failed", "Cancelled", "Timeout"}
"""Statuses of a query that has no result and will have none; any other but Complete may still come to one."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
"""Seconds between two looks at a query; each pause is twice as long as the one before."""

_LAST_LOOK = 1.0
"""Seconds before the deadline after which nobody looks any more: the answer takes its time, too."""

_PAGES = 20
_PLAIN_STREAM = re.compile(r'[^"\\]+')

Row = Mapping[str, str]


class Running(NamedTuple):
    """A query that was started.

    Parameters
    ----------
    id
        What CloudWatch calls it.
    region
        Where it runs.
    """

    id: str
    region: str


class Rows(NamedTuple):
    """The result of a query.

    Parameters
    ----------
    rows
        Its rows: columns and their values.
    scanned_bytes
        What CloudWatch has read for it, and bills.
    """

    rows: tuple[Row, ...]
    scanned_bytes: int


def start_queries(
    query: str, where: Sequence[LogConfiguration], tasks: Sequence[str], begin: float, end: float
) -> list[Running]:
    """Start a query over the log streams of tasks: one in each region that the containers log to.

    Parameters
    ----------
    query
        The query.
    where
        Where the containers log.
    tasks
        Ids of the tasks.
    begin, end
        The time that is searched, in seconds since the epoch.

    Raises
    ------
    FactDeniedError
        If the query has a mistake, or there are too many streams to name.
    FactError
        If CloudWatch Logs does not answer.
    """
    started = []
    for region in sorted({each.region for each in where}):
        here = [each for each in where if each.region == region]
        answer = _start(
            region,
            logGroupNames=sorted({each.group for each in here}),
            queryString=_restricted(query, [each.stream(task) for each in here for task in tasks]),
            startTime=int(begin),
            endTime=max(int(end), int(begin) + 1),
        )
        with reading(START):
            started.append(Running(str(answer["queryId"]), region))
    return started


def rows_of(running: Running, deadline: Deadline) -> Rows | None:
    """Wait for a query to be complete; None where the time does not suffice.

    A query that is given up runs on by itself: to stop it would take one permission more, and saves little.

    Raises
    ------
    FactError
        If it failed, or CloudWatch Logs does not answer.
    """
    pause = _FIRST_PAUSE
    while True:
        answer = ask_page(RESULTS, running.region, queryId=running.id)
        with reading(RESULTS):
            status = answer["status"]
        if status == "Complete":
            return _read(running, answer)
        if status in _ENDED:
            raise FactError(f"{RESULTS}: the query ended with the status {status}")
        if deadline.remaining() < pause + _LAST_LOOK:
            return None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _restricted(query: str, streams: Sequence[str]) -> str:
    """Return a query that only sees some log streams.

    `@logStream` is indexed in every log group of the standard class, and the index works with `in` alone: what other
    streams hold is then neither read nor paid for (CloudWatch Logs user guide, "filterIndex").
    """
    if not all(map(_PLAIN_STREAM.fullmatch, streams)):
        raise FactDeniedError(
            "query: log streams with quotation marks or backslashes in their name can't be named in a query"
        )
    named = ",".join(f'"{each}"' for each in streams)
    # On lines of its own, since the query may begin with a comment.
    made = f"filter @logStream in [{named}] |\n{query}"
    if len(made) > MAX_LENGTH:
        raise FactDeniedError(
            f"query: with the names of {len(streams)} log streams it has {len(made)} characters, and CloudWatch takes "
            f"{MAX_LENGTH}: name a container, or shorten the query"
        )
    return made


def _start(region: str, **parameters: Any) -> dict[str, Any]:
    try:
        return ask_page(START, region, **parameters)
    except FactError as error:
        response = getattr(error.__cause__, "response", None) or {}
        if error.code == "MalformedQueryException":
            # It speaks of the plan's own query, not of what is in the logs, so it may be shown.
            said = (
                (response.get("queryCompileError") or {}).get("message")
                or response["Error"].get("Message")
                or error.code
            )
            raise FactDeniedError(f"query: CloudWatch can't read it: {' '.join(str(said).split())[:200]}") from error
        raise


def _read(running: Running, answer: dict[str, Any]) -> Rows:
    rows: list[Row] = []
    with reading(RESULTS):
        scanned = int((answer.get("statistics") or {}).get("bytesScanned") or 0)
    for _ in range(_PAGES):
        with reading(RESULTS):
            rows += _rows(answer["results"])
        if not answer.get("nextToken"):
            return Rows(tuple(rows), scanned)
        answer = ask_page(RESULTS, running.region, queryId=running.id, nextToken=answer["nextToken"])
    raise FactDeniedError(f"{RESULTS}: more than {_PAGES} pages of rows; let the query have fewer")


def _rows(results: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Row]:
    for fields in results:
        # @ptr is no column: it leads to the whole event.
        yield {str(each["field"]): str(each.get("value", "")) for each in fields if each["field"] != "@ptr"}
