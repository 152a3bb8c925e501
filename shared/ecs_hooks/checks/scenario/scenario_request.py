"""One request of a scenario as a plan writes it, with variables `{{name}}` as in Hurl."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.assertions.query import Query
from ecs_hooks.checks.request.request_fields import RequestFields
from ecs_hooks.checks.request.session import ExchangeFields
from ecs_hooks.core.validation_errors import Form

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$"), Form("name: letters, digits and _")]

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_ADDRESS_FIELDS = {"path", "url"}
"""Fields in which values are percent-encoded, so that each stays one segment or parameter."""
_TEXT_FIELDS = {*_ADDRESS_FIELDS, "auth", "ca_certificates", "headers"}
"""Fields in which values become text. Else green could send an object that is a secret by reference there."""


class Capture(Query):
    """Saves the first value that a query finds in a response, for later requests."""

    secret: bool = False
    """Whether the value is a secret, which is masked in reasons. Cookies are, and values whose `name` or `path` is that
    of a secret."""

    if TYPE_CHECKING:
        # Type checkers do not know the fields of the class that `query` selects.
        def __init__(self, *, query: str, **fields: Any) -> None: ...


class Retry(BaseModel):
    """How long to repeat a request within the scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    timeout_seconds: Annotated[float, Field(gt=0, le=880)]
    """Seconds after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(gt=0, le=600)] = 1
    """Seconds between two requests."""


class ScenarioRequest(RequestFields, ExchangeFields):
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

    @property
    def variables(self) -> set[str]:
        """The names of the variables in the fields."""
        return set(variables_in(self._fields))

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return the request with the values of its variables.

        Raises
        ------
        ValidationError
            If a value does not fit into its field.
        """
        return type(self).model_validate(substitute(self._fields, values)) if self.variables else self

    @property
    def _fields(self) -> dict[str, Any]:
        """The fields as the plan has them."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def variables_in(value: Any) -> Iterator[str]:
    """Yield the name of each variable in the texts of a JSON value, keys of objects included."""
    match value:
        case str():
            yield from _VARIABLE.findall(value)
        case Mapping():
            for key, inner in value.items():
                yield from variables_in(key)
                yield from variables_in(inner)
        case list() | tuple():
            for inner in value:
                yield from variables_in(inner)


def substitute(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request with the values of its variables.

    A text that consists of one variable becomes its value, of any type. Within a longer text, and in headers and
    credentials, a value becomes text: JSON, without the quotes of a string. In an address it is percent-encoded.

    Raises
    ------
    KeyError
        If a variable has no value; the argument is its name.
    """
    return {
        name: _substitute(value, values, as_text=name in _TEXT_FIELDS, encode=name in _ADDRESS_FIELDS)
        for name, value in fields.items()
    }


def _substitute(value: Any, values: Mapping[str, Any], *, as_text: bool, encode: bool = False) -> Any:
    match value:
        case str():
            whole = _VARIABLE.fullmatch(value)
            if whole and not as_text:
                return values[whole.group(1)]
            return _VARIABLE.sub(lambda found: _text(values[found.group(1)], encode=encode), value)
        case Mapping():
            return {
                _substitute(key, values, as_text=True): _substitute(inner, values, as_text=as_text)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_substitute(inner, values, as_text=as_text) for inner in value]
        case _:
            return value


def _text(value: Any, *, encode: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote(text, safe="") if encode else text
