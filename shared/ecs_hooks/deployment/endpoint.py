"""Where green answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import ExplainedError

Listener = Literal["test", "production"]
"""Through which listener green is asked."""

BEFORE_GREEN_RUNS = {Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP}
BEFORE_TEST_TRAFFIC = {*BEFORE_GREEN_RUNS, Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT}
"""Stages at which the test listener does not, or not for certain, lead to the new revision yet."""
BEFORE_PRODUCTION_TRAFFIC = {*BEFORE_TEST_TRAFFIC, Stage.POST_TEST_TRAFFIC_SHIFT}
"""Stages at which the production listener leads to the old revision."""

OVERRIDE = "set hookDetails.base_url"
REACH_TASKS = (
    "the address is that of a task: the function has to run in its VPC (VpcSubnetIds of the template), and the security "
    "group of the tasks has to let it in; or {}"
)


class EndpointError(ExplainedError):
    """Where green answers is not known, or what answers there is not green.

    Parameters
    ----------
    problem
        What is wrong.
    fix
        What to do about it; empty where the problem tells.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}: {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


def require_running(stage: str, otherwise: str = "") -> None:
    """Refuse a question about green at a stage at which it does not run yet.

    Parameters
    ----------
    stage
        The stage of the deployment.
    otherwise
        What else can be done, for the fix.

    Raises
    ------
    EndpointError
        If it does not run yet.
    """
    if stage in BEFORE_GREEN_RUNS:
        raise EndpointError(f"green does not run yet at {stage}", f"attach the check to a later stage{otherwise}")


class Endpoint(NamedTuple):
    """An address of green, and what every request to it has to have.

    Parameters
    ----------
    base_url
        What paths are appended to.
    headers, query
        What the conditions of the listener rule ask for; a request that has it otherwise would go to somebody else.
    methods
        The methods that the rule takes; any where there are none.
    host
        `Host` of requests that name none.
    advice
        What to do where there is no connection.
    protocol
        The protocol of the load balancer's listener that this is the address of; empty where it is not, or nobody knows.
    """

    base_url: str
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()
    host: str = ""
    advice: str = ""
    protocol: str = ""

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers of a request that has none of its own."""
        return {**({"Host": self.host} if self.host else {}), **self.headers}

    def objection(self, method: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
        """Return why a request would miss the listener rule, and so green; empty where it would not.

        Parameters
        ----------
        method, headers, query
            What the request has of its own.
        """
        if self.methods and method not in self.methods:
            return f"the listener rule takes {', '.join(self.methods)} only, not {method}"
        own = {name.lower(): value.lower() for name, value in headers.items()}
        for name, value in self.headers.items():
            if own.get(name.lower(), value.lower()) != value.lower():
                return f"the listener rule asks for another header {name} than the request has"
        for name, value in self.query.items():
            if name in query and value not in _texts(query[name]):
                return f"the listener rule asks for another query parameter {name} than the request has"
        return ""


def _texts(values: Any) -> list[str]:
    return [
        str(each) for each in (values if isinstance(values, Sequence) and not isinstance(values, str) else [values])
    ]
