"""What a policy document says of somebody who wants to do something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Decision(StrEnum):
    """What a policy says."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """A statement denies it; no other policy changes that."""
    NOT_ALLOWED = "not allowed"
    """No statement is about it."""
    UNDECIDED = "undecided"
    """A statement has conditions, or names whom it is not about."""


def decide(document: object, action: str, kind: str, name: str) -> Decision:
    """Return what a resource's policy, or the trust policy of a role, says of one principal.

    Parameters
    ----------
    document
        The policy.
    action
        The action, such as `sts:AssumeRole`.
    kind, name
        The principal, such as `Service` and `ecs.amazonaws.com`.
    """
    said = set(_said(document, action, kind, name))
    for statement in (("Deny", False), ("Deny", True), ("Allow", False), ("Allow", True)):
        if statement in said:
            return _DECISIONS[statement]
    return Decision.NOT_ALLOWED


_DECISIONS = {
    ("Deny", False): Decision.DENIED,
    ("Deny", True): Decision.UNDECIDED,
    ("Allow", False): Decision.ALLOWED,
    ("Allow", True): Decision.UNDECIDED,
}


def _said(document: object, action: str, kind: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield the effect of each statement that may be about this, and whether that is left open."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    for each in _listed(statements):
        if not isinstance(each, Mapping) or not _is_about(each, action):
            continue
        open_end = bool(each.get("Condition")) or "NotPrincipal" in each
        if "NotPrincipal" in each or _names(each.get("Principal"), kind, name):
            yield str(each.get("Effect")), open_end


def _is_about(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action)
    return _matches(statement.get("Action"), action)


def _matches(patterns: object, action: str) -> bool:
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in _listed(patterns))


def _names(principal: object, kind: str, name: str) -> bool:
    if isinstance(principal, Mapping):
        named = [str(each) for each in _listed(principal.get(kind))]
        # {"AWS": "*"} is everybody who has signed in, roles among them, but no service.
        return name in named or (kind == "AWS" and "*" in named)
    return principal == "*"


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
