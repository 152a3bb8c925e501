"""JSON documents side by side: the values at each path.

Paths have no indexes: `$.items[*].price` is the path of the prices of all items. So a difference in them is found
whatever the number and the order of the items.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.keys import have_noise, is_local, map_keys
from ecs_hooks.core.outcome import ExplainedError
from ecs_hooks.core.redaction import is_secret_name, one_line

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.normalize import Normalize


MAX_VALUES = 10_000
"""Maximum number of values of one document."""

_MAX_DEPTH = 100
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MAX_NAME_LENGTH = 40


class Document(NamedTuple):
    """A document."""

    roots: tuple[Any, ...]
    """The JSON; empty if the body is not JSON."""
    normalize: Normalize


class _Node(NamedTuple):
    path: str
    found: Sequence[Sequence[Any]]
    """By document, the values at the path."""
    missing: Sequence[int]
    """By document, the number of objects without such a member."""
    is_secret: bool = False
    depth: int = 0
    is_item: bool = False
    name: str = ""
    """The name of the member or, for an item, of its array; empty for a value of a map."""
    parent: str = ""
    """The name of the object that it belongs to, or of the map."""
    only_shape: bool = False
    """Whether blue and green have other values by design."""


def values_by_path(blue: Sequence[Document], green: Sequence[Document], root: str = "$") -> Iterator[PathValues]:
    """Yield the values at each path of documents in the order of time, parents before children.

    Parameters
    ----------
    blue, green
        The documents of each side.
    root
        The path of a whole document.

    Raises
    ------
    IncomparableError
        If a document is too large or too deep.
    """
    documents, of_blue = [*blue, *green], len(blue)
    left = MAX_VALUES * len(documents)
    waiting = deque([_Node(root, [each.roots for each in documents], [0] * len(documents))])
    while waiting:
        node = waiting.popleft()
        left -= sum(map(len, node.found))
        if left < 0 or node.depth > _MAX_DEPTH:
            limit = f"more than {MAX_VALUES} values" if left < 0 else f"more than {_MAX_DEPTH} levels"
            raise IncomparableError(
                f"the JSON has {limit}, which is too much to compare; request less of it, or ignore parts of it"
            )
        # Objects in an array have no value of their own but their number, which is the value of the array.
        if not node.is_item or not all(isinstance(each, dict) for found in node.found for each in found):
            values = [
                _values(found, missing, document.normalize)
                for found, missing, document in zip(node.found, node.missing, documents, strict=True)
            ]
            kinds = {value.kind for each in values for value in each}
            only_shape = node.only_shape or is_local(node.name, node.parent, kinds)
            yield PathValues(node.path, values[:of_blue], values[of_blue:], node.is_secret, only_shape)
        waiting.extend(child for child in _children(node, of_blue) if any(child.found))


def _values(found: Sequence[Any], missing: int, normalize: Normalize) -> tuple[Value, ...]:
    values = (value_of(normalize(each) if isinstance(each, str) else each) for each in found)
    return (*values, *[ABSENT] * missing)


def _children(node: _Node, of_blue: int) -> Iterator[_Node]:
    below = _Node("", (), (), node.is_secret, node.depth + 1, parent=node.name, only_shape=node.only_shape)
    arrays = [[each for each in found if isinstance(each, list)] for found in node.found]
    if any(arrays):
        items = [[item for each in found for item in each] for found in arrays]
        # An array of one process has items of one process: their name is that of the array.
        yield below._replace(
            path=f"{node.path}[*]",
            found=items,
            missing=[0] * len(items),
            is_item=True,
            name=node.name,
            parent=node.parent,
        )
    objects = [[each for each in found if isinstance(each, dict)] for found in node.found]
    keys = map_keys(objects, of_blue)
    for name in {name: None for found in objects for each in found for name in each}:
        if name not in keys:
            yield below._replace(
                path=f"{node.path}{path_segment(name)}",
                found=[[each[name] for each in found if name in each] for found in objects],
                missing=[sum(name not in each for each in found) for found in objects],
                is_secret=node.is_secret or is_secret_name(name),
                name=name,
            )
    if keys:
        values = [[value for each in found for name, value in each.items() if name in keys] for found in objects]
        yield below._replace(
            path=f"{node.path}.*",
            found=values,
            missing=[int(bool(found) and not own) for found, own in zip(objects, values, strict=True)],
            is_secret=node.is_secret or any(map(is_secret_name, keys)),
            only_shape=node.only_shape or not have_noise(objects[:of_blue], keys),
        )


def path_segment(name: str) -> str:
    """Return the segment of a member in a path (RFC 9535), on one line and cut to a maximum length."""
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    shown = one_line(name if len(name) <= _MAX_NAME_LENGTH else f"{name[:_MAX_NAME_LENGTH]}...")
    return "['" + shown.replace("\\", "\\\\").replace("'", "\\'") + "']"


_FORMATS = {
    "empty": r"",
    "integer": r"[+-]?\d+",
    "decimal": r"[+-]?\d*\.\d+",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "date-time": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?",
    "hexadecimal": r"[0-9a-fA-F]{8,}",
    "address": r"[a-z]+://\S+|/\S*",
    "e-mail": r"[^@\s]+@[^@\s]+",
    "word": r"[\w.-]+",
}
_FORMAT = re.compile("|".join(f"(?P<f{number}>{pattern})" for number, pattern in enumerate(_FORMATS.values())))
_FORMAT_NAMES = list(_FORMATS)


class IncomparableError(ExplainedError):
    """The responses cannot be compared; the message says what to change."""


class Value(NamedTuple):
    """One value."""

    kind: str
    """Its JSON type, `absent` if an object has no such member, or another word if it is not JSON."""
    content: str | float | bool | None = None
    """The value itself; for an array the number of items; None for an object, whose members are compared one by one."""


ABSENT = Value("absent")


class PathValues(NamedTuple):
    """The values at one path, such as a path of the JSON, by response in the order of time.

    They are several if the path contains arrays, and none if the parent is missing. A secret is known by its name.
    """

    path: str
    blue: Sequence[tuple[Value, ...]]
    green: Sequence[tuple[Value, ...]]
    is_secret: bool = False
    only_shape: bool = False
    """Whether only types and formats are compared, because blue and green have other values by design."""

    @property
    def varies(self) -> bool:
        """Whether the responses have different values."""
        return any(each != self.blue[0] for each in (*self.blue, *self.green))

    @property
    def varies_in_blue(self) -> bool:
        """Whether the responses of blue have different values."""
        return any(each != self.blue[0] for each in self.blue)


def value_of(value: Any) -> Value:
    """Return a value of JSON. Unlike in Python, true differs from 1, and NaN equals NaN."""
    match value:
        case None:
            return Value("null")
        case bool():
            return Value("boolean", value)
        case str():
            return Value("string", value)
        case int() | float():
            return Value("number", "NaN" if value != value else value)  # noqa: PLR0124 - only NaN differs from itself
        case list():
            return Value("array", len(value))
        case _:
            return Value("object")


def size_of(value: Value) -> tuple[str, float] | None:
    """Return the dimension in which a value is large or small, and its size; None without one."""
    content = value.content
    match value.kind:
        case "string":
            return "length", len(str(content))
        case "number" if not isinstance(content, str | None):
            try:
                return "number", float(content)
            except OverflowError:  # JSON allows integers of any length
                return "number", math.inf if content > 0 else -math.inf
        case "array" if not isinstance(content, str | None):
            return "items", content
        case _:
            return None


def format_of(value: Value) -> str:
    """Return the format of a value, such as `uuid` or `whole number`."""
    match value.kind:
        case "string":
            found = _FORMAT.fullmatch(str(value.content))
            return _FORMAT_NAMES[int(str(found.lastgroup)[1:])] if found else "text"
        case "number":
            whole = isinstance(value.content, int) or (isinstance(value.content, float) and value.content.is_integer())
            return "whole number" if whole else "number"
        case _:
            return value.kind
