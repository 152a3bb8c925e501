"""Variables in the requests of a scenario, written `{{name}}` as in Hurl."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_IN_ADDRESS = {"path", "url"}
"""Fields in which a value must not change what the address is made of."""
_AS_TEXT = {"auth", "ca_certificates", "headers"}
"""Fields in which an object is a secret by reference, which only the plan may name: what green says is a text there."""


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


def filled(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request with the values of its variables.

    A text that is nothing but a variable becomes its value, of whatever type. Within a longer text a value is written as
    JSON has it, a text without quotes, and so it is in headers and credentials always. In an address it is
    percent-encoded, so that it stays one segment or parameter.

    Parameters
    ----------
    fields
        Fields of a request, as a plan has them.
    values
        Values by name.

    Raises
    ------
    KeyError
        If a variable has no value; its argument is the name.
    """
    return {
        name: _filled(value, values, as_text=name in _IN_ADDRESS | _AS_TEXT, encode=name in _IN_ADDRESS)
        for name, value in fields.items()
    }


def _filled(value: Any, values: Mapping[str, Any], *, as_text: bool, encode: bool = False) -> Any:
    match value:
        case str():
            whole = _VARIABLE.fullmatch(value)
            if whole and not as_text:
                return values[whole.group(1)]
            return _VARIABLE.sub(lambda found: _text(values[found.group(1)], encode=encode), value)
        case Mapping():
            return {_filled_key(key, values): _filled(inner, values, as_text=as_text) for key, inner in value.items()}
        case list() | tuple():
            return [_filled(inner, values, as_text=as_text) for inner in value]
        case _:
            return value


def _filled_key(key: Any, values: Mapping[str, Any]) -> Any:
    return (
        _VARIABLE.sub(lambda found: _text(values[found.group(1)], encode=False), key) if isinstance(key, str) else key
    )


def _text(value: Any, *, encode: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote(text, safe="") if encode else text
