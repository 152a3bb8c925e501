"""JSON documents side by side: the values at each path.

Paths have no indexes: `$.items[*].price` is the path of the prices of all items. So a difference in them is found
whatever the number and the order of the items.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.values import ABSENT, IncomparableError, PathValues, Value, value_of
from ecs_hooks.core.redaction import is_secret_name, one_line

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.comparable_response import Normalize

MAX_VALUES = 10_000
"""Maximum number of values of one document."""

_MAX_DEPTH = 100
RARE = 2
"""A name in at most so many responses is a key, such as an id, and not a name that the application always uses."""
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


def values_by_path(blue: Sequence[Document], green: Sequence[Document]) -> Iterator[PathValues]:
    """Yield the values at each path of documents in the order of time, parents before children.

    Raises
    ------
    IncomparableError
        If a document is too large or too deep.
    """
    documents = [*blue, *green]
    left = MAX_VALUES * len(documents)
    waiting = deque([_Node("$", [each.roots for each in documents], [0] * len(documents))])
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
            yield PathValues(node.path, values[: len(blue)], values[len(blue) :], node.is_secret)
        waiting.extend(child for child in _children(node) if any(child.found))


def _values(found: Sequence[Any], missing: int, normalize: Normalize) -> tuple[Value, ...]:
    values = (value_of(normalize(each) if isinstance(each, str) else each) for each in found)
    return (*values, *[ABSENT] * missing)


def _children(node: _Node) -> Iterator[_Node]:
    arrays = [[each for each in found if isinstance(each, list)] for found in node.found]
    if any(arrays):
        items = [[item for each in found for item in each] for found in arrays]
        yield _Node(f"{node.path}[*]", items, [0] * len(items), node.is_secret, node.depth + 1, is_item=True)
    objects = [[each for each in found if isinstance(each, dict)] for found in node.found]
    names = Counter(name for found in objects for name in {name: None for each in found for name in each})
    keys = {name for name, times in names.items() if times <= RARE} if len(objects) > 2 * RARE else set()
    for name in names:
        if name not in keys:
            yield _Node(
                f"{node.path}{path_segment(name)}",
                [[each[name] for each in found if name in each] for found in objects],
                [sum(name not in each for each in found) for found in objects],
                node.is_secret or is_secret_name(name),
                node.depth + 1,
            )
    if keys:
        values = [[value for each in found for name, value in each.items() if name in keys] for found in objects]
        is_secret = node.is_secret or any(map(is_secret_name, keys))
        yield _Node(f"{node.path}.*", values, [0] * len(values), is_secret, node.depth + 1)


def path_segment(name: str) -> str:
    """Return the segment of a member in a path (RFC 9535), on one line and cut to a maximum length."""
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    shown = one_line(name if len(name) <= _MAX_NAME_LENGTH else f"{name[:_MAX_NAME_LENGTH]}...")
    return "['" + shown.replace("\\", "\\\\").replace("'", "\\'") + "']"
