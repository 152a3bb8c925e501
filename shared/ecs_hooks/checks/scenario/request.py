"""One request of a scenario, as a plan writes it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.assertions.query import Query
from ecs_hooks.checks.request.http_request import RequestFields
from ecs_hooks.checks.request.transport import ExchangeFields

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$")]


class Capture(Query):
    """A value of a response for later requests: the first that the query finds."""

    secret: bool = False
    """Whether it is a secret, which no reason may show. Cookies are, and what the names of `name` and `path` tell."""


class Retry(BaseModel):
    """How long to send a request again, within the scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    timeout_seconds: Annotated[float, Field(gt=0, le=880)]
    """Seconds after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(gt=0, le=600)] = 1
    """Seconds between two requests."""


class ScenarioRequest(RequestFields, ExchangeFields):
    """A request, what is expected of its response, and what later requests take from it."""

    name: Annotated[str, Field(max_length=80)] = ""
    """What the request is called in reasons."""
    timeout_seconds: Annotated[float, Field(gt=0, le=880)] = 10
    """Time for one attempt, redirects included."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts where there was no connection, or it ended before the first byte of a response."""
    until: Retry | None = None
    """To poll: send it again while something is not as expected."""
    captures: Annotated[dict[Identifier, Capture], Field(max_length=20)] = Field(default={})
    """Values for later requests, which write them `{{name}}`."""
    warn: bool = False
    """Whether its failure only warns, and the scenario goes on."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the response. Default: a status from 200 to 299."""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as a plan has them."""
        return self.model_dump(by_alias=True, exclude_unset=True)
