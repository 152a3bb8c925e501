"""The endpoint of a revision, and the stages at which green has one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import ExplainedError
from ecs_hooks.http.errors import RequestError

if TYPE_CHECKING:
    from ecs_hooks.core.sent_requests import SentRequests
    from ecs_hooks.deployment.routing import Routing
    from ecs_hooks.http.request import Authorization, Request
    from ecs_hooks.http.request_body import Body
    from ecs_hooks.http.url import Query

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


class RoutingError(RequestError):
    """A request is not certain to reach the revision by the rules of the listener.

    Parameters
    ----------
    problem
        The rule that takes the request, or the condition that it does not match.
    fix
        The remedy.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


def require_running(stage: str, otherwise: str = "") -> None:
    """Raise `EndpointError`, with an addition to its fix, at a stage at which green does not run yet."""
    if stage in BEFORE_GREEN_RUNS:
        raise EndpointError(f"green does not run yet at {stage}", f"attach the check to a later stage{otherwise}")


class Endpoint(NamedTuple):
    """A base URL, and the requirements on every request to it.

    Parameters
    ----------
    base_url
        The URL to which paths are appended.
    headers
        Headers that every request must have; one with another value is refused.
    host
        Default `Host` of requests.
    advice
        Remedy for a failed connection.
    protocol
        Protocol of the load balancer's listener; empty if the endpoint is not a listener, or if it is unknown.
    sent
        Counts the requests to the endpoint; None if they do not count.
    routing
        The rules of the load balancer's listener; None if the endpoint is not a listener.
    """

    base_url: str
    headers: Mapping[str, str] = MappingProxyType({})
    host: str = ""
    advice: str = ""
    protocol: str = ""
    sent: SentRequests | None = None
    routing: Routing | None = None

    @property
    def is_task(self) -> bool:
        """Whether it is the address of a task, not of a load balancer: only these have an advice."""
        return bool(self.advice)

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers of a request that sets none."""
        return {**({"Host": self.host} if self.host else {}), **self.headers}

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the listener rule accepts; empty for any."""
        return () if self.routing is None else self.routing.methods

    def request(
        self,
        method: str,
        path: str,
        query: Query,
        headers: Mapping[str, str],
        body: Body | None = None,
        auth: Authorization | None = None,
    ) -> Request:
        """Return a request to the endpoint.

        If it does not match the conditions of the listener rule as it is, it gets what they require: a prefix of the path, a
        header, a parameter.

        Raises
        ------
        RequestError
            If it is invalid, or not certain to reach the revision by the rules of the listener.
        """
        from ecs_hooks.http.request import Request, with_defaults  # noqa: PLC0415 - a hook without HTTP need not load it
        from ecs_hooks.http.url import Url  # noqa: PLC0415

        own = {name.lower(): value.lower() for name, value in {**headers, **(auth.headers if auth else {})}.items()}
        for name, value in self.headers.items():
            if own.get(name.lower(), value.lower()) != value.lower():
                raise RoutingError(
                    f"the listener rule requires another value of header {name} than the request has",
                    f"change or remove {name}",
                )
        given = with_defaults(headers, self.all_headers)
        request = Request.build(method, Url.join(self.base_url, path, query), given, body)
        request = request._replace(auth=auth, sent=self.sent)
        return request if self.routing is None else self.routing.routed(request, {name.lower() for name in given})
