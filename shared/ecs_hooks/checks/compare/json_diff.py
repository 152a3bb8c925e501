"""JSON documents side by side, place by place.

Indexes of arrays are left out of the paths: `$.items[*].price` stands for the prices of all items, so what differs is
learnt for all of them, however many there are and in whatever order.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.errors import IncomparableError
from ecs_hooks.checks.compare.observed import Observed
from ecs_hooks.checks.compare.values import ABSENT, Value, value_of
from ecs_hooks.core.redaction import is_secret_name, one_line

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.url_normalization import Rewrite

MOST_VALUES = 10_000
"""Values of one document that are compared."""

_DEEPEST = 100
SELDOM = 2
"""A name that only so many answers have is none that the application gives: a key, such as an id."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_LONGEST_NAME = 40


class Document(NamedTuple):
    """A document.

    Parameters
    ----------
    roots
        The JSON; none where the answer had another body.
    rewrite
        Takes the application's own address out of a text.
    """

    roots: tuple[Any, ...]
    rewrite: Rewrite


class _Place(NamedTuple):
    path: str
    found: Sequence[Sequence[Any]]
    """By document, what stands there."""
    lacking: Sequence[int]
    """By document, how many objects could have it and have not."""
    is_secret: bool = False
    depth: int = 0
    is_item: bool = False


def observe(blue: Sequence[Document], green: Sequence[Document]) -> Iterator[Observed]:
    """Yield what is seen at each place of the documents, from the outside to the inside.

    Parameters
    ----------
    blue, green
        The documents, in the order of time.

    Raises
    ------
    IncomparableError
        If they are too large or too deep.
    """
    documents = [*blue, *green]
    left = MOST_VALUES * len(documents)
    waiting = deque([_Place("$", [each.roots for each in documents], [0] * len(documents))])
    while waiting:
        place = waiting.popleft()
        left -= sum(map(len, place.found))
        if left < 0 or place.depth > _DEEPEST:
            limit = f"has more than {MOST_VALUES} values" if left < 0 else f"is nested more than {_DEEPEST} deep"
            raise IncomparableError(
                f"the JSON {limit}, which is too much to compare: ask for less of it, or ignore parts of it"
            )
        if not place.is_item or not all(isinstance(each, dict) for found in place.found for each in found):
            # Of objects in an array there is nothing to say but how many they are, which the array says.
            values = [
                _values(*each) for each in zip(place.found, place.lacking, (d.rewrite for d in documents), strict=True)
            ]
            yield Observed(place.path, values[: len(blue)], values[len(blue) :], place.is_secret)
        waiting.extend(below for below in _below(place) if any(below.found))


def _values(found: Sequence[Any], lacking: int, rewrite: Rewrite) -> tuple[Value, ...]:
    seen = (value_of(rewrite(each) if isinstance(each, str) else each) for each in found)
    return (*seen, *[ABSENT] * lacking)


def _below(place: _Place) -> Iterator[_Place]:
    arrays = [[each for each in found if isinstance(each, list)] for found in place.found]
    if any(arrays):
        items = [[item for each in found for item in each] for found in arrays]
        yield _Place(f"{place.path}[*]", items, [0] * len(items), place.is_secret, place.depth + 1, is_item=True)
    objects = [[each for each in found if isinstance(each, dict)] for found in place.found]
    names = Counter(name for found in objects for name in {name: None for each in found for name in each})
    keys = {name for name, times in names.items() if times <= SELDOM} if len(objects) > 2 * SELDOM else set()
    for name in names:
        if name not in keys:
            yield _Place(
                f"{place.path}{_step(name)}",
                [[each[name] for each in found if name in each] for found in objects],
                [sum(name not in each for each in found) for found in objects],
                place.is_secret or is_secret_name(name),
                place.depth + 1,
            )
    if keys:
        values = [[value for each in found for name, value in each.items() if name in keys] for found in objects]
        is_secret = place.is_secret or any(map(is_secret_name, keys))
        yield _Place(f"{place.path}.*", values, [0] * len(values), is_secret, place.depth + 1)


def _step(name: str) -> str:
    """Return a name as a path has it (RFC 9535), on one line and not longer than a line."""
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    shown = one_line(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}...")
    return "['" + shown.replace("\\", "\\\\").replace("'", "\\'") + "']"
