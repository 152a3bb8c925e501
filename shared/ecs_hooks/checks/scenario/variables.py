"""Variables `{{name}}` in the requests of a check, as in Hurl: their values are given, or captured from responses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import Field, JsonValue, model_validator

from ecs_hooks.auth.secret_resolver import Secret, SecretResolver
from ecs_hooks.auth.secret_store import Reference
from ecs_hooks.checks.request.request_fields import RequestFields
from ecs_hooks.core.json_text import write_json
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import Form

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$"), Form("name: letters, digits and _")]

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_ADDRESS_FIELDS = {"path", "url"}
"""Fields in which values are percent-encoded, so that each stays one segment or parameter."""
_TEXT_FIELDS = {*_ADDRESS_FIELDS, "auth", "ca_certificates", "headers"}
"""Fields in which values become text. Else green could send an object that is a secret by reference there."""


class VariableFields(PlanModel):
    """Values that the requests of a check use as `{{name}}`."""

    variables: Annotated[dict[Identifier, JsonValue], Field(max_length=50)] = Field(default={})
    """Values that requests use as `{{name}}`, besides captured ones."""
    secrets: Annotated[dict[Identifier, Secret], Field(max_length=50)] = Field(default={})
    """Secrets that requests use as `{{name}}`: each a text, or a secret by reference. Reasons mask them."""

    @model_validator(mode="after")
    def _has_each_name_once(self) -> Self:
        twice = sorted(set(self.variables) & set(self.secrets))
        if twice:
            raise ValueError(f"variables and secrets: both have {twice[0]}; rename one of them")
        return self

    @property
    def secret_references(self) -> tuple[Reference, ...]:
        """The secrets that are given by reference."""
        return tuple(secret for secret in self.secrets.values() if not isinstance(secret, str))

    def given_values(self, resolver: SecretResolver) -> dict[str, Any]:
        """Return the values by name, and add those that are secrets to the redactor."""
        resolver.redactor.add_fields(self.variables)
        return {**self.variables, **{name: resolver.resolve(secret) for name, secret in self.secrets.items()}}


class VariableRequest(RequestFields):
    """A request that may use variables."""

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


def check_variables(requests: Sequence[VariableRequest], known: set[str], field: str) -> None:
    """Validate that each variable of some requests has a value, and add the names of their captures to the known ones.

    Raises
    ------
    ValueError
        If a variable has no value.
    """
    for number, request in enumerate(requests):
        for name in sorted(request.variables - known):
            raise ValueError(
                f"{field}[{number}]: {{{{{name}}}}} has no value; add it to variables or secrets, or capture it in an "
                f"earlier request"
            )
        known |= set(getattr(request, "captures", ()))


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
    text = value if isinstance(value, str) else write_json(value, (", ", ": "))
    try:
        return quote(text, safe="") if encode else text
    except UnicodeEncodeError:  # half of a surrogate pair, which the address itself refuses
        return text
