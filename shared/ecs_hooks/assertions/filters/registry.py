"""The registry of filters: one entry each, made by a decorator of the filter's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from ecs_hooks.core.formatting import json_type

_Function = TypeVar("_Function", bound=Callable[..., Any])


class FilterError(ValueError):
    """A filter cannot be applied to the value. The message never contains the value."""


class NothingFoundError(LookupError):
    """A filter finds nothing in the value."""


class Entry(NamedTuple):
    """A filter.

    Parameters
    ----------
    apply
        Its function.
    argument
        The type of its argument; None if it has none.
    optional
        Whether the argument may be omitted.
    public
        Whether the result may be shown even if the value is a secret.
    not_last
        Why it cannot be the last filter; empty if it can.
    takes
        The types of values other than strings that it takes from a query: `array` for all values of a query, `bytes` for
        a body as it arrived.
    """

    apply: Callable[..., Any]
    argument: Any = None
    optional: bool = False
    public: bool = False
    not_last: str = ""
    takes: frozenset[str] = frozenset()

    @property
    def description(self) -> str:
        """What the filter returns, for the plan's JSON Schema."""
        text = (self.apply.__doc__ or "").removeprefix("Return ")
        return f"{text[:1].upper()}{text[1:]}"


FILTERS: dict[str, Entry] = {}


ARRAY = frozenset({"array"})
BYTES = frozenset({"bytes"})


def register_filter(argument: Any = None, **fields: Any) -> Callable[[_Function], _Function]:
    """Return a decorator that makes a function a filter; see `Entry`."""

    def register(function: _Function) -> _Function:
        FILTERS[function.__name__] = Entry(function, argument, **fields)
        return function

    return register


def string(value: Any) -> str:
    """Return a string; raise FilterError for a value of another type."""
    if not isinstance(value, str):
        raise wrong_type("a string", value)
    return value


def wrong_type(required: str, value: Any) -> FilterError:
    """Return the error for a value of another type, such as `requires an array, not a number`."""
    match value:
        case None:
            found = "null"
        case bytes():
            found = "bytes"
        case datetime():
            found = "a date"
        case list() | tuple() | Mapping():
            found = "an object" if isinstance(value, Mapping) else "an array"
        case _:
            found = f"a {json_type(value)}"
    return FilterError(f"requires {required}, not {found}")
