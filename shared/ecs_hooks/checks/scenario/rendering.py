"""Fills the values of variables into the fields of a request: each as its place requires."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from ecs_hooks.assertions.predicate import CapturedNumber, Predicate
from ecs_hooks.checks.request.template import first_variable, rendered, whole_variable
from ecs_hooks.checks.scenario.value_texts import as_text, jsonpath_text, pattern_text, read_number
from ecs_hooks.core.formatting import json_type

_NUMBERS = frozenset(
    {"timeout_seconds", "connect_retries", "max_redirects", "max_body_bytes", "weight", "until", "max_latency_ms"}
)
"""Fields with numbers, such as limits."""
_AS_THEY_ARE = frozenset({"json", "query", "form"})
"""Fields in which a variable keeps the type of its value."""
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_MEMBER_NAME = re.compile(r"[A-Za-z_\u0080-\U0010ffff][0-9A-Za-z_\u0080-\U0010ffff]*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)

_NOT_TEXT = frozenset({"status", "bytes", "jsonpath", "duration", "redirects"})
"""Queries whose values are not texts."""
_NUMBER_FIELDS = frozenset({"expires_in_days", "not_before", "not_after"})
"""Fields of the query `certificate` with numbers."""
_CONDITIONS = frozenset(info.alias or name for name, info in Predicate.model_fields.items())
"""Fields of an assertion that are conditions; the others are those of its query."""


class UnfitValueError(ValueError):
    """The value of a variable cannot be used in a field. The message never contains the value.

    Parameters
    ----------
    field
        Path of the field.
    expression
        The variable.
    problem
        Why it cannot be used, such as `is null`.
    """

    def __init__(self, field: str, expression: str, problem: str) -> None:
        super().__init__(f"{field}: {{{{{expression}}}}} {problem}")
        self.field = field


class Renderer:
    """Fills values of variables into fields. Variables without a value stay as they are.

    A text that consists of one variable becomes its value where a number or any JSON value is allowed. Elsewhere a value
    becomes text: JSON, without the quotes of a string. It is percent-encoded in an address, and escaped in a regular
    expression and in a JSONPath.

    Parameters
    ----------
    values
        Values by variable; raises `KeyError` for a variable without a value.
    address
        Returns the path for a `path` that begins with the value of a variable, from that path and the variable.
    partial
        Whether variables may have no value, so that the result still is a template.
    """

    def __init__(self, values: Mapping[str, Any], address: Callable[[str, str], str], *, partial: bool = False) -> None:
        self._values = values
        self._address = address
        self._partial = partial

    def request(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a request.

        Raises
        ------
        UnfitValueError
            If a value cannot be used at its place.
        """
        return {name: self._field(name, value) for name, value in fields.items()}

    def _field(self, name: str, value: Any) -> Any:
        nested = {"expect": self._expect, "captures": self._captures, "websocket": self._websocket}.get(name)
        if nested is not None and isinstance(value, Mapping):
            return nested(value)
        if name in {"path", "url"} and isinstance(value, str):
            return self._in_address(value, name)
        change = self._number if name in _NUMBERS else self.value if name in _AS_THEY_ARE else self.text
        return self._deep(value, name, change)

    def _captures(self, captures: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._query(each, f"captures.{name}") for name, each in captures.items()}

    def _websocket(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        changes = {"send": self.value, "receive": self._number}
        return {
            name: self._deep(each, f"websocket.{name}", changes.get(name, self.text)) for name, each in fields.items()
        }

    def _expect(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in fields.items():
            where = f"expect.{name}"
            match name, value:
                case "headers", Mapping():
                    found[name] = {
                        self.text(key, where): self._expected(each, f"{where}.{key}", is_text=True)
                        for key, each in value.items()
                    }
                case "json", Mapping():
                    found[name] = {
                        self._jsonpath(key, where): self._expected(each, f"{where}.{key}", is_text=False)
                        for key, each in value.items()
                    }
                case "body", list() | tuple():
                    found[name] = [self._predicate(each, where, is_text=True) for each in value]
                case "body", _:
                    found[name] = self._predicate(value, where, is_text=True)
                case "asserts", list() | tuple():
                    found[name] = [self._query(each, f"{where}[{index}]") for index, each in enumerate(value)]
                case "status", _:
                    found[name] = self._deep(value, where, self.value)
                case _:
                    found[name] = self._deep(value, where, self._number)
        return found

    def _expected(self, value: Any, where: str, *, is_text: bool) -> Any:
        """Return a predicate, or an expected value. A value that green has sent never becomes a predicate."""
        if isinstance(value, Mapping):
            return self._predicate(value, where, is_text=is_text)
        return self._literal(value, where, is_text=is_text)

    def _literal(self, value: Any, where: str, *, is_text: bool) -> Any:
        literal = self._deep(value, where, self._compared if is_text else self.value)
        return {"equals": literal} if isinstance(literal, Mapping) and not isinstance(value, Mapping) else literal

    def _predicate(self, fields: Any, where: str, *, is_text: bool) -> Any:
        if not isinstance(fields, Mapping):
            return fields
        return {
            name: self._condition(name, value, f"{where}.{name}", is_text=is_text) for name, value in fields.items()
        }

    def _condition(self, name: str, value: Any, where: str, *, is_text: bool) -> Any:
        match name, value:
            case "matches", str():
                return self._pattern(value, where)
            case "not", _:
                return self._predicate(value, where, is_text=is_text)
            case "length", Mapping():
                return self._predicate(value, where, is_text=False)
            case "json_schema", _:
                return self._schema(value, where)
        change: Callable[[str, str], Any] = self.text
        if name in {"equals", "not_equals", "contains", "in"}:
            change = self._compared if is_text else self._part if name == "contains" else self.value
        elif name in {"min", "max", "range", "length"}:
            change = self._number if name == "length" else self._limit
        return self._deep(value, where, change)

    def _schema(self, schema: Any, where: str) -> Any:
        match schema:
            case Mapping():
                return {
                    self.text(name, where): self._pattern(value, where)
                    if name == "pattern" and isinstance(value, str)
                    else {self._pattern(key, where): self._schema(inner, where) for key, inner in value.items()}
                    if name == "patternProperties" and isinstance(value, Mapping)
                    else self._schema(value, where)
                    for name, value in schema.items()
                }
            case _:
                return self._deep(schema, where, self.value)

    def _query(self, fields: Any, where: str) -> Any:
        """Return a query with its filters and conditions, of an assertion or a capture."""
        if not isinstance(fields, Mapping):
            return fields
        is_text = _finds_text(fields)
        conditions = {name: value for name, value in fields.items() if name in _CONDITIONS}
        found = self._predicate(conditions, where, is_text=is_text)
        for name, value in fields.items():
            place = f"{where}.{name}"
            if name == "filters" and isinstance(value, list | tuple):
                found[name] = [self._filter(each, place) for each in value]
            elif name == "path" and isinstance(value, str) and fields.get("query") == "jsonpath":
                found[name] = self._jsonpath(value, place)
            elif name == "pattern" and isinstance(value, str):
                found[name] = self._pattern(value, place)
            elif name not in _CONDITIONS:
                found[name] = self._deep(value, place, self.text)
        return found

    def _filter(self, each: Any, where: str) -> Any:
        if not isinstance(each, Mapping):
            return each
        found: dict[str, Any] = {}
        for name, argument in each.items():
            place = f"{where}.{name}"
            match name, argument:
                case "regex", str():
                    found[name] = self._pattern(argument, place)
                case "jsonpath", str():
                    found[name] = self._jsonpath(argument, place)
                case "nth", _:
                    found[name] = self._deep(argument, place, self._number)
                case "replace_regex", Mapping():
                    found[name] = {
                        key: self._pattern(value, place)
                        if key == "pattern" and isinstance(value, str)
                        else self._rendered(value, lambda each, _: self._text(each).replace("\\", "\\\\"))
                        if isinstance(value, str)
                        else value
                        for key, value in argument.items()
                    }
                case _:
                    found[name] = self._deep(argument, place, self.text)
        return found

    def value(self, text: str, where: str) -> Any:
        """Return the value of a text that consists of one variable, of any type; else the text with its variables."""
        whole = whole_variable(text)
        if whole is None:
            return self.text(text, where)
        return self._values[whole] if self._has(whole) else text

    def text(self, text: str, _: str) -> str:
        """Return a text with its variables."""
        return self._rendered(text, lambda expression, _: self._text(expression))

    def _compared(self, text: str, where: str) -> Any:
        """Return a value that is compared with a text."""
        whole = whole_variable(text)
        if whole is not None and self._has(whole):
            value = self._values[whole]
            if value is None or isinstance(value, Mapping):
                raise UnfitValueError(where, whole, f"is of type {json_type(value)}, but is compared with text")
            if isinstance(value, list | tuple):
                return [each if isinstance(each, str) else as_text(each) for each in value]
        return self.text(text, where)

    def _part(self, text: str, where: str) -> Any:
        """Return a part of a value that may be a text or an array."""
        value = self.value(text, where)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return CapturedNumber(value, as_text(value)) if is_number else value

    def _limit(self, text: str, where: str) -> Any:
        """Return a limit, of which not every text is a number."""
        value = self.value(text, where)
        return self._number(text, where) if not isinstance(value, str) or read_number(value) is not None else value

    def _number(self, text: str, where: str) -> Any:
        whole = whole_variable(text)
        if whole is None:
            filled = self.text(text, where)
            number = None if filled == text else read_number(filled)
            return filled if number is None else number
        if not self._has(whole):
            return text
        value = self._values[whole]
        if isinstance(value, str):
            number = read_number(value)
            if number is None:
                raise UnfitValueError(where, whole, "is not a number")
            return number
        if value is None or isinstance(value, bool | Mapping):
            raise UnfitValueError(where, whole, f"is of type {json_type(value)}, not a number")
        return value

    def _pattern(self, pattern: str, _: str) -> str:
        return self._rendered(
            pattern,
            lambda each, _: pattern_text(self._text(each)) if self._has(each) else self._text(each),
        )

    def _jsonpath(self, path: str, _: str) -> str:
        quoted = [(found.start(), found.end(), path[found.start()]) for found in _QUOTED.finditer(path)]

        def one(expression: str, at: int) -> str:
            if not self._has(expression):
                return self._text(expression)
            value = self._values[expression]
            quote_sign = next((sign for begin, end, sign in quoted if begin < at < end), "")
            if quote_sign:
                return jsonpath_text(as_text(value), quote_sign)
            if at == 0 and isinstance(value, str):
                return value
            if path[at - 1] == "." and _MEMBER_NAME.fullmatch(as_text(value)):
                return as_text(value)
            return f'"{jsonpath_text(value, chr(34))}"' if isinstance(value, str) else as_text(value)

        return self._rendered(path, one)

    def _in_address(self, address: str, field: str) -> str:
        """Return an address. A value stays one segment or parameter, unless it is at the beginning."""
        begin = address.find("://")
        begin = begin + 3 if begin >= 0 and field == "url" else -1
        path_at = min(
            (at for at in (address.find(each, max(begin, 0)) for each in "/?#") if at >= 0), default=len(address)
        )

        def one(expression: str, at: int) -> str:
            if not self._has(expression):
                return self._text(expression)
            value = self._values[expression]
            if value is None or isinstance(value, list | tuple | Mapping):
                raise UnfitValueError(
                    field, expression, f"is of type {json_type(value)}, which an address cannot contain"
                )
            text = as_text(value)
            if at == 0:
                return text
            if begin >= 0 and begin <= at < path_at:
                if not _HOST.fullmatch(text):
                    raise UnfitValueError(field, expression, "is not a host, or a part of one")
                return text
            try:
                return quote(text, safe="")
            except UnicodeEncodeError:  # half of a surrogate pair, which the address itself refuses
                return text

        rest = self._rendered(address, one)
        first = first_variable(address)
        if field == "path" and first is not None and self._has(first):
            try:
                return self._address(rest, first)
            except ValueError as error:
                raise UnfitValueError(field, first, str(error)) from None
        return rest

    def _deep(self, value: Any, where: str, change: Callable[[str, str], Any]) -> Any:
        match value:
            case str():
                return change(value, where)
            case Mapping():
                return {self.text(key, where): self._deep(inner, where, change) for key, inner in value.items()}
            case list() | tuple():
                return [self._deep(inner, where, change) for inner in value]
            case _:
                return value

    def _rendered(self, text: str, replace: Callable[[str, int], str]) -> str:
        return rendered(text, replace, keep_literals=self._partial)

    def _has(self, expression: str) -> bool:
        """Return whether to replace a variable. Unless some may have no value, one without raises `KeyError`."""
        return not self._partial or expression in self._values

    def _text(self, expression: str) -> str:
        return as_text(self._values[expression]) if self._has(expression) else f"{{{{{expression}}}}}"


def substitute(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request with the values of its variables; see `Renderer`.

    Raises
    ------
    KeyError
        If a variable has no value; the argument is its name.
    UnfitValueError
        If a value cannot be used at its place.
    """
    return Renderer(values, lambda path, _: path).request(fields)


def _finds_text(query: Mapping[str, Any]) -> bool:
    """Return whether the values of a query are texts, after its filters."""
    name = query.get("query")
    is_number = name == "certificate" and query.get("field", "expires_in_days") in _NUMBER_FIELDS
    is_text = name not in _NOT_TEXT and not is_number
    filters = query.get("filters") or ()
    if not isinstance(filters, list | tuple) or not filters:
        return is_text
    from ecs_hooks.assertions.filters.registry import FILTERS  # noqa: PLC0415 - a plan without filters need not load it

    for each in filters:
        named = each if isinstance(each, str) else next(iter(each), "") if isinstance(each, Mapping) else ""
        returned = FILTERS[named].apply.__annotations__["return"] if named in FILTERS else "Any"
        if returned != "Any" or named == "jsonpath":
            is_text = returned in {"str", "list[str]"}
    return is_text
