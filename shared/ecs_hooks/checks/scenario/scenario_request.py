"""One request of a scenario as a plan writes it: its expectations, its captures, its polling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.assertions.query import Query
from ecs_hooks.checks.request.session import ExchangeFields
from ecs_hooks.checks.scenario.variables import Identifier, VariableRequest
from ecs_hooks.core.plan_model import PlanModel


class Capture(Query):
    """Saves the first value that a query finds in a response, for later requests."""

    secret: bool = False
    """Whether the value is a secret, which is masked in reasons. Cookies are, and values whose `name` or `path` is that
    of a secret."""

    if TYPE_CHECKING:
        # Type checkers do not know the fields of the class that `query` selects.
        def __init__(self, *, query: str, **fields: Any) -> None: ...


class Retry(PlanModel):
    """How long to repeat a request within the scenario."""

    timeout_seconds: Annotated[float, Field(gt=0, le=880)]
    """Seconds after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(gt=0, le=600)] = 1
    """Seconds between two requests."""


class ScenarioRequest(VariableRequest, ExchangeFields):
    """A request, what its response must fulfil, and the values that later requests use."""

    name: Annotated[str, Field(max_length=80)] = ""
    """Name of the request in reasons."""
    timeout_seconds: Annotated[float, Field(gt=0, le=880)] = 10
    """Timeout of one attempt, redirects included."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts if the connection fails, or ends before the first byte of a response."""
    until: Retry | None = None
    """To poll: repeats the request while the response is not as expected."""
    captures: Annotated[dict[Identifier, Capture], Field(max_length=20)] = Field(default={})
    """Values for later requests, which use them as `{{name}}`."""
    warn: bool = False
    """Whether a failure is only a warning, and the scenario continues."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the response. Default: a status from 200 to 299."""
