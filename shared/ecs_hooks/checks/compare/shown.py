"""Values of a difference in words: masked, short, and around what differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecs_hooks.checks.compare.normalize import ORIGIN
from ecs_hooks.core.redaction import MASK, is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.evaluate import Difference
    from ecs_hooks.checks.compare.json_diff import Value
    from ecs_hooks.core.redaction import Redactor

_MAX_LENGTH = 40
_CONTEXT = 12
"""Characters before the first difference of two long texts."""
_NEARBY = 200
"""Characters beside a difference in which secrets are looked for."""
_MAX_PATH = 80
_NOT_SHOWN = {
    "absent": "absent",
    "digest": "one content",
    "header": "present",
    "object": "an object",
    "present": "present",
}
"""By kind, the words for values that are not shown."""
_PHRASES = {"array": "an array of {}", "body": "{}", "elements": "{} of them", "status": "{}"}
"""By kind, the words for values that are no secrets in any case."""
_TEXTS = {"line", "text"}
"""Kinds whose values are parts of a text, which may contain a secret without a name of its own."""
_ADDRESS = re.compile(rf"\w+://|/|{re.escape(ORIGIN)}")
_ASSIGNED = re.compile(r"(?<![\w-])([\w-]{1,64})([\"']?\s*(?:=>|[:=])\s*)(\"[^\"]*\"?|'[^']*'?|[^\s,;&<>\"']+)")


def change_of(difference: Difference, redactor: Redactor) -> str:
    """Return the change, such as `12.5 -> 12.49`."""
    before, after = _texts(difference, redactor)
    match before, after:
        case None, None:
            return "in another order"
        case _, None:
            return f"{before} gone"
        case None, _:
            return f"{after} added"
        case _:
            return f"{before} -> {after}"


def path_of(difference: Difference, redactor: Redactor) -> str:
    """Return the path, without the middle of a long one."""
    path = redactor.mask(difference.path)
    if len(path) <= _MAX_PATH:
        return path
    half = _MAX_PATH // 2
    return f"{path[:half]}...{path[-half:]}"


def frozen_value(difference: Difference, redactor: Redactor) -> str:
    """Return the value that does not vary any more."""
    return _texts(difference, redactor)[1] or "several values"


def _texts(difference: Difference, redactor: Redactor) -> tuple[str | None, str | None]:
    before, after = difference.before, difference.after
    if before is not None and after is not None and before.kind in _TEXTS and after.kind in _TEXTS:
        one, other = _around_difference(str(before.content), str(after.content), redactor)
        before, after = before._replace(content=one), after._replace(content=other)
    return (
        None if before is None else _show(before, difference, redactor),
        None if after is None else _show(after, difference, redactor),
    )


def _around_difference(one: str, other: str, redactor: Redactor) -> tuple[str, str]:
    """Return the parts of two texts around their first difference, without secrets."""
    # The name of a secret may be before the difference, and its end after it.
    begin = max(0, _equal_start(one, other) - _NEARBY)
    one, other = (_masked(each[begin : begin + 3 * _NEARBY], redactor) for each in (one, other))
    start = _equal_start(one, other) - _CONTEXT
    if begin == 0 and max(len(one), len(other)) <= _MAX_LENGTH:
        return one, other
    return (f"...{one[start:]}", f"...{other[start:]}") if start > 0 else (one, other)


def _show(value: Value, difference: Difference, redactor: Redactor) -> str:
    kind, content = value
    if kind in _NOT_SHOWN:
        return _NOT_SHOWN[kind]
    if kind in _PHRASES:
        return _PHRASES[kind].format(redactor.mask(str(content)))
    if difference.is_secret:
        return f"{MASK} ({kind})"
    if kind in _TEXTS:
        return redactor.show(_masked(str(content)[: 3 * _NEARBY], redactor), _MAX_LENGTH)
    if isinstance(content, str) and _ADDRESS.match(content):
        content = content.partition("?")[0]  # the query of a URL may contain a secret
    return redactor.show(content, _MAX_LENGTH)


def _equal_start(one: str, other: str) -> int:
    """Return the number of characters with which both begin."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def _masked(text: str, redactor: Redactor) -> str:
    """Return a text without the values that are assigned to secret names in it, and without queries of URLs."""
    text = _ASSIGNED.sub(lambda found: f"{found[1]}{found[2]}{MASK}" if is_secret_name(found[1]) else found[0], text)
    return redactor.mask(text)
