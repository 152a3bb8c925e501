"""Documents without what is not compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecs_hooks.assertions.jsonpath import locations
from ecs_hooks.checks.compare.errors import IncomparableError


def without(document: Any, paths: Sequence[str]) -> tuple[Any, ...]:
    """Take what some paths lead to out of a document, and return it; nothing where all of it is taken out.

    Parameters
    ----------
    document
        JSON.
    paths
        JSONPaths.

    Raises
    ------
    IncomparableError
        If a path can't be followed in the document.
    """
    found: set[tuple[str | int, ...]] = set()
    for path in paths:
        try:
            found |= set(locations(path, document))
        except ValueError as error:
            raise IncomparableError(f"ignore {path[:80]} {error}") from None
    if () in found:
        return ()
    # Of two in the same array the last one first, since the others move up; what is inside before what it is in.
    for *way, last in sorted(found, key=lambda each: [_last_first(step) for step in each], reverse=True):
        holder = document
        for step in way:
            holder = holder[step]
        del holder[last]
    return (document,)


def _last_first(step: str | int) -> tuple[bool, str | int]:
    return isinstance(step, int), step
