"""JSONPath (RFC 9535), loaded where a plan uses it: its import takes longer than many a request."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonpath import JSONPathEnvironment

MAX_VALUES = 10_000
_TOO_DEEP = "can't be evaluated on a response that is nested this deeply"


def check_path(path: str) -> str:
    """Return a path, if it is one.

    Raises
    ------
    ValueError
        If it is none.
    """
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415 - see above

    try:
        _environment().compile(path)
    except (JSONPathError, RecursionError) as error:
        # The first argument, since str() adds a picture of the place, and fails at that for an empty path.
        raise ValueError(f"is no valid JSONPath: {str(error.args[0])[:120]}{_pattern_hint(path)}") from None
    return path


def _pattern_hint(path: str) -> str:
    """Return what to write in place of a regular expression; empty for a path without one."""
    for construct in ("=~", "match(", "search("):
        if construct in path:
            return f" ({construct.rstrip('(')} is not supported; select the values, and write `matches` for them)"
    return ""


def check_paths(paths: Iterable[str]) -> None:
    """Refuse paths of which one is none.

    Raises
    ------
    ValueError
        It names the path.
    """
    for path in paths:
        try:
            check_path(path)
        except ValueError as error:
            message = f"{path[:80]!r} {error}"
            raise ValueError(message) from None


def find(path: str, document: Any) -> list[Any]:
    """Return all values at a path.

    Raises
    ------
    ValueError
        If the document is nested too deeply for it, or there are more than `MAX_VALUES`.
    """
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415 - see above

    try:
        values = [match.obj for match in islice(_environment().finditer(path, document), MAX_VALUES + 1)]
    except (JSONPathError, RecursionError):
        raise ValueError(_TOO_DEEP) from None
    if len(values) > MAX_VALUES:
        message = f"finds more than {MAX_VALUES} values"
        raise ValueError(message)
    return values


def is_singular(path: str) -> bool:
    """Return whether a path can find one value at most."""
    from jsonpath import JSONPath  # noqa: PLC0415 - see above

    compiled = _environment().compile(path)
    return isinstance(compiled, JSONPath) and compiled.singular_query()


def locations(path: str, document: Any) -> list[tuple[str | int, ...]]:
    """Return where a path leads to: for each value, the names and indexes on the way to it.

    Raises
    ------
    ValueError
        If the document is nested too deeply for it.
    """
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415 - see above

    try:
        return [tuple(match.parts) for match in _environment().finditer(path, document)]
    except (JSONPathError, RecursionError):
        raise ValueError(_TOO_DEEP) from None


@lru_cache(maxsize=1)
def _environment() -> JSONPathEnvironment:
    from jsonpath import JSONPathEnvironment  # noqa: PLC0415 - see above

    environment = JSONPathEnvironment(strict=True)
    # Their regular expressions are not RE2's: they can run for ever.
    for name in ("match", "search"):
        environment.function_extensions.pop(name, None)
    return environment
