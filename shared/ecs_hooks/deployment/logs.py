"""CloudWatch Logs of a revision's tasks: filter patterns, and queries of Logs Insights."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.aws.call import call_aws, call_aws_pages, parsing
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.deployment.tasks import TASK_DEFINITION

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline

FILTER = "logs:FilterLogEvents"
START = "logs:StartQuery"
RESULTS = "logs:GetQueryResults"

_PAGES = 20
"""Most pages to read; CloudWatch may return empty ones while it searches."""

MAX_LENGTH = 10_000
"""Most characters of a query."""

_ENDED = {"Failed", "Cancelled", "Timeout"}
"""Final statuses of a query without a result. Any other than Complete may still become Complete."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
"""Seconds between two polls of a query; each pause is twice as long as the one before."""

_POLL_SECONDS = 1.0
"""Time for one poll: the last one starts this long before the deadline."""

_PLAIN_STREAM = re.compile(r'[^"\\]+')

Row = Mapping[str, str]


class LogConfiguration(NamedTuple):
    """The log configuration of a container.

    Parameters
    ----------
    container
        Name of the container.
    group
        Log group of the `awslogs` driver.
    prefix
        `awslogs-stream-prefix`.
    region
        Region of the log group.
    obstacle
        Why the log cannot be read from CloudWatch, such as `log driver awsfirelens`; empty if it can.
    is_router
        Whether the container is the FireLens log router, whose own log is not that of the application.
    drops_events
        Whether the task definition sets the mode `non-blocking`, which drops events when its buffer is full.
    """

    container: str
    group: str
    prefix: str
    region: str
    obstacle: str = ""
    is_router: bool = False
    drops_events: bool = False

    @property
    def not_checked(self) -> str:
        """The part of the container's log that cannot be checked; empty if all of it can."""
        if self.obstacle:
            return f"container {self.container} ({self.obstacle})"
        return f"events that container {self.container} may drop (mode non-blocking)" if self.drops_events else ""

    def stream(self, task: str) -> str:
        """Return the log stream of a task: `prefix/container/task id` (ECS developer guide, awslogs driver)."""
        return f"{self.prefix}/{self.container}/{task}"


def log_configurations(containers: Sequence[Mapping[str, Any]], region: str) -> list[LogConfiguration]:
    """Return the log configuration of each container, with the region of the service as default."""
    found = []
    with parsing(TASK_DEFINITION):
        for each in containers:
            logging = each.get("logConfiguration", {})
            options = logging.get("options", {})
            configured = LogConfiguration(
                each["name"],
                options.get("awslogs-group", ""),
                options.get("awslogs-stream-prefix", ""),
                options.get("awslogs-region") or region,
                is_router="firelensConfiguration" in each,
                drops_events=options.get("mode") == "non-blocking",
            )
            found.append(configured._replace(obstacle=_obstacle(logging.get("logDriver", ""), configured)))
    return found


def _obstacle(driver: str, configured: LogConfiguration) -> str:
    if not driver:
        return "no log configuration"
    if driver != "awslogs":
        return f"log driver {driver}"
    # Without a prefix, streams are named after Docker container IDs, which ECS does not return.
    options = {"awslogs-group": configured.group, "awslogs-stream-prefix": configured.prefix}
    missing = [name for name, value in options.items() if not value]
    return f"log driver awslogs without {' and '.join(missing)}" if missing else ""


class Matches(NamedTuple):
    """Events that match a filter pattern.

    Parameters
    ----------
    number
        Number of events.
    first
        Log stream of the first; empty if there is none. Its text is not kept, since it may contain secrets.
    """

    number: int
    first: str


def count_matches(where: LogConfiguration, tasks: Sequence[str], pattern: str, begin: float, limit: int) -> Matches:
    """Count the events of some tasks that match a filter pattern, and stop at a limit.

    All streams of the container are searched, and events of other tasks skipped: a request that names a stream which does
    not exist yet would fail as a whole.
    """
    streams = {where.stream(task) for task in tasks}
    count, first = 0, ""
    parameters: dict[str, Any] = {
        "logGroupName": where.group,
        "logStreamNamePrefix": where.stream(""),
        "filterPattern": pattern,
        "startTime": int(begin * 1000),
    }
    too_many = FactError(f"{FILTER}: more than {_PAGES} pages of events; use a more specific pattern")
    for response in call_aws_pages(FILTER, where.region, "nextToken", too_many, most=_PAGES, **parameters):
        with parsing(FILTER):
            found = [each["logStreamName"] for each in response["events"] if each["logStreamName"] in streams]
        count, first = count + len(found), first or (found[0] if found else "")
        if count >= limit:
            break
    return Matches(count, first)


class StartedQuery(NamedTuple):
    """ID and region of a running query."""

    id: str
    region: str


class Rows(NamedTuple):
    """The rows of a query, as values by column, and the bytes that CloudWatch scanned, and bills."""

    rows: tuple[Row, ...]
    scanned_bytes: int


def start_queries(
    query: str, where: Sequence[LogConfiguration], tasks: Sequence[str], begin: float, end: float
) -> list[StartedQuery]:
    """Start a query over the log streams of tasks, in each region of the containers' logs.

    Raises
    ------
    FactDeniedError
        If the query is invalid, or if there are too many streams.
    FactError
        If a call fails.
    """
    started = []
    for region in sorted({each.region for each in where}):
        here = [each for each in where if each.region == region]
        response = _start(
            region,
            logGroupNames=sorted({each.group for each in here}),
            queryString=_restricted(query, [each.stream(task) for each in here for task in tasks]),
            startTime=int(begin),
            endTime=max(int(end), int(begin) + 1),
        )
        with parsing(START):
            started.append(StartedQuery(str(response["queryId"]), region))
    return started


def wait_for_rows(running: StartedQuery, deadline: Deadline) -> Rows | None:
    """Wait for a query, and return its result; None if it is not complete before the deadline.

    The query is then not stopped: that would require another permission, and saves little.
    """
    pause = _FIRST_PAUSE
    while True:
        response = call_aws(RESULTS, running.region, queryId=running.id)
        with parsing(RESULTS):
            status = response["status"]
        if status == "Complete":
            return _result(running, response)
        if status in _ENDED:
            raise FactError(f"{RESULTS}: the query ended with the status {status}")
        if deadline.remaining() < pause + _POLL_SECONDS:
            return None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _restricted(query: str, streams: Sequence[str]) -> str:
    """Return a query over some log streams only.

    `@logStream` is indexed in every log group of the standard class, and only `in` uses the index: CloudWatch then neither
    scans nor bills other streams (CloudWatch Logs user guide, "filterIndex").
    """
    if not all(map(_PLAIN_STREAM.fullmatch, streams)):
        raise FactDeniedError("query: not possible for log streams with a quotation mark or backslash in their name")
    names = ",".join(f'"{each}"' for each in streams)
    # On a line of its own, since the query may begin with a comment.
    restricted = f"filter @logStream in [{names}] |\n{query}"
    if len(restricted) > MAX_LENGTH:
        raise FactDeniedError(
            f"query: {len(restricted)} characters with the names of {len(streams)} log streams, at most {MAX_LENGTH} are "
            "allowed; name a container, or shorten the query"
        )
    return restricted


def _start(region: str, **parameters: Any) -> dict[str, Any]:
    try:
        return call_aws(START, region, **parameters)
    except FactError as error:
        if error.code != "MalformedQueryException":
            raise
        # CloudWatch's message is about the plan's own query, not about log events, so it may be shown.
        response = getattr(error.__cause__, "response", None) or {}
        compile_error = (response.get("queryCompileError") or {}).get("message")
        message = str(compile_error or response["Error"].get("Message") or error.code)
        raise FactDeniedError(f"query: rejected by CloudWatch: {' '.join(message.split())[:200]}") from error


def _result(running: StartedQuery, response: dict[str, Any]) -> Rows:
    rows: list[Row] = []
    with parsing(RESULTS):
        scanned = int((response.get("statistics") or {}).get("bytesScanned") or 0)
    for _ in range(_PAGES):
        with parsing(RESULTS):
            rows += _rows(response["results"])
        if not response.get("nextToken"):
            return Rows(tuple(rows), scanned)
        response = call_aws(RESULTS, running.region, queryId=running.id, nextToken=response["nextToken"])
    raise FactDeniedError(f"{RESULTS}: more than {_PAGES} pages of rows; add a limit to the query")


def _rows(results: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Row]:
    for fields in results:
        # @ptr is not a column, but a pointer to the whole event.
        yield {str(each["field"]): str(each.get("value", "")) for each in fields if each["field"] != "@ptr"}
