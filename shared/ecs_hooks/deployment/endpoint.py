"""The endpoint of a revision, and the stages at which green has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import ExplainedError

if TYPE_CHECKING:
    from ecs_hooks.core.sent_requests import SentRequests

Listener = Literal["test", "production"]
"""The listener through which a request reaches green."""

BEFORE_GREEN_RUNS = {Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP}
BEFORE_TEST_TRAFFIC = {*BEFORE_GREEN_RUNS, Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT}
"""Stages at which the test listener does not, or not certainly, forward to green."""
BEFORE_PRODUCTION_TRAFFIC = {*BEFORE_TEST_TRAFFIC, Stage.POST_TEST_TRAFFIC_SHIFT}
"""Stages at which the production listener forwards to blue."""

OVERRIDE = "set hookDetails.base_url"
REACH_TASKS = (
    "this is the private address of a task: the function must run in its VPC (VpcSubnetIds of the template), and the "
    "security group of the tasks must allow it; or {}"
)


class EndpointError(ExplainedError):
    """An endpoint is unknown, or is not that of the right revision.

    Parameters
    ----------
    problem
        The error.
    fix
        The remedy; empty if the problem names it.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}; {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


def require_running(stage: str, otherwise: str = "") -> None:
    """Raise `EndpointError`, with an addition to its fix, at a stage at which green does not run yet."""
    if stage in BEFORE_GREEN_RUNS:
        raise EndpointError(f"green does not run yet at {stage}", f"attach the check to a later stage{otherwise}")


class Endpoint(NamedTuple):
    """A base URL, and the requirements of its listener rule on every request.

    Parameters
    ----------
    base_url
        The URL to which paths are appended.
    headers, query
        Headers and query parameters that the rule requires; with other values the request would miss the revision.
    methods
        Methods that the rule accepts; empty for any.
    host
        Default `Host` of requests.
    advice
        Remedy for a failed connection.
    protocol
        Protocol of the load balancer's listener; empty if the endpoint is not a listener, or if it is unknown.
    sent
        Counts the requests to the endpoint; None if they do not count.
    """

    base_url: str
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()
    host: str = ""
    advice: str = ""
    protocol: str = ""
    sent: SentRequests | None = None

    @property
    def is_task(self) -> bool:
        """Whether it is the address of a task, not of a load balancer: only these have an advice."""
        return bool(self.advice)

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers of a request that sets none."""
        return {**({"Host": self.host} if self.host else {}), **self.headers}

    def objection(self, method: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
        """Return why a request with these values would not match the listener rule; empty if it would."""
        if self.methods and method not in self.methods:
            return f"the listener rule accepts only {', '.join(self.methods)}, not {method}"
        own = {name.lower(): value.lower() for name, value in headers.items()}
        for name, value in self.headers.items():
            if own.get(name.lower(), value.lower()) != value.lower():
                return f"the listener rule requires another value of header {name} than the request has"
        for name, value in self.query.items():
            if name in query and value not in _texts(query[name]):
                return f"the listener rule requires another value of query parameter {name} than the request has"
        return ""


def _texts(values: Any) -> list[str]:
    return [
        str(each) for each in (values if isinstance(values, Sequence) and not isinstance(values, str) else [values])
    ]
