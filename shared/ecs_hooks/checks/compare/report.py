"""What was found, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecs_hooks.checks.compare.url_normalization import OWN
from ecs_hooks.checks.compare.values import Value
from ecs_hooks.core.redaction import MASK

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.evaluate import Difference
    from ecs_hooks.core.redaction import Redactor

_LONGEST = 40
_UNSHOWN = {
    "absent": "absent",
    "digest": "one content",
    "header": "present",
    "line": "a line",
    "object": "an object",
}
"""What is not shown, by kind: parts of a body that is no JSON, and headers whose values are not compared, among it."""
_PHRASES = {"array": "an array of {}", "body": "{}", "problem": "{}", "status": "{}"}
"""What is shown in any case, by kind."""
_ADDRESS = re.compile(rf"\w+://|/|{re.escape(OWN)}")


def tell(difference: Difference, redactor: Redactor) -> str:
    """Return a difference in words: where, how often, and the least value of it.

    Parameters
    ----------
    difference
        The difference.
    redactor
        What knows the secrets.
    """
    often = f"differs in {difference.rounds} of {difference.of} rounds (blue against itself in {difference.noise})"
    return f"{redactor.mask(difference.path)} {often}: {_change(difference, redactor)}"


def _change(difference: Difference, redactor: Redactor) -> str:
    before, after = difference.before, difference.after
    if before is None and after is None:
        return "in another order"
    if before is None or after is None:
        return (
            f"{_show(before, difference, redactor)} gone" if before else f"{_show(after, difference, redactor)} added"
        )
    return f"{_show(before, difference, redactor)} -> {_show(after, difference, redactor)}"


def _show(value: Value | None, difference: Difference, redactor: Redactor) -> str:
    """Return a value for a reason: cut short, and none that must not be shown."""
    kind, content = value or Value("null")
    if kind in _UNSHOWN:
        return _UNSHOWN[kind]
    if kind in _PHRASES:
        return _PHRASES[kind].format(redactor.mask(str(content)))
    if difference.is_secret:
        return f"{MASK} ({kind})"
    if isinstance(content, str) and _ADDRESS.match(content):
        content = content.partition("?")[0]  # what stands behind the path of an address may be a secret
    return redactor.show(content, _LONGEST)
