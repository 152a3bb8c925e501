"""Facts about a deployment: each fetched once, and kept over IN_PROGRESS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from threading import RLock
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.json_text import JsonError, read_json

MAX_BYTES = 2_048
"""Largest size of the facts in the state. If they are larger, the next invocation fetches them again."""

T = TypeVar("T")


class Facts:
    """Facts by name.

    Only facts that cannot change during a deployment are kept over IN_PROGRESS, such as green's target group, but not the
    target group of a listener rule. Kept facts are used only if they are unchanged and valid, since ECS may have merged
    them, a user may have edited them, or another version of this library may have written them.

    Parameters
    ----------
    known
        The facts of earlier invocations, from `dump`.
    """

    def __init__(self, known: str = "") -> None:
        self._lock = RLock()
        self._stored = _decode(known)
        self._found: dict[str, Any] = {}
        self._errors: dict[str, FactError] = {}

    def get(self, name: str, find: Callable[[], T], *, kind: Any = None, keep: Callable[[T], bool] = bool) -> T:
        """Return a fact, and find it if it is not known yet.

        One thread finds a fact, and all others wait for it. An error is raised again for the rest of the invocation.

        Parameters
        ----------
        name
            Its name.
        find
            Fetches it; may raise `FactError`.
        kind
            Type of a fact to keep over IN_PROGRESS: JSON values, or a `NamedTuple` of such. None for a fact that may change.
        keep
            Whether to keep this value. Default: if it is not empty.
        """
        with self._lock:
            if name in self._errors:
                raise self._errors[name]
            if name not in self._found and not self._restored(name, kind):
                try:
                    self._found[name] = find()
                except FactError as error:
                    self._errors[name] = error
                    raise
                if kind is not None and keep(self._found[name]):
                    self._stored[name] = self._found[name]
            found: T = self._found[name]
            return found

    def _restored(self, name: str, kind: Any) -> bool:
        """Return whether a fact was kept and is valid, and restore it."""
        if kind is None or name not in self._stored:
            return False
        try:
            # Strict validation accepts an array for a tuple only from JSON.
            self._found[name] = _adapter(kind).validate_json(json.dumps(self._stored[name]), strict=True)
        except ValidationError:
            del self._stored[name]
            return False
        return True

    def dump(self) -> str:
        """Return the facts for the state, as text since ECS may merge objects; empty if they are too large."""
        # Without the lock: a hanging AWS call holds it, and must not delay the hook's response.
        stored = dict(self._stored)
        text = json.dumps(stored, separators=(",", ":"))
        text = f"{_digest(text)} {text}"
        return text if len(text) <= MAX_BYTES and stored else ""


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a type; making it takes longer than validating all facts of an invocation."""
    return TypeAdapter(kind)


def _decode(text: str) -> dict[str, Any]:
    digest, _, body = text.partition(" ")
    if digest != _digest(body):
        return {}
    try:
        known = read_json(body)
    except JsonError:
        return {}
    return known if isinstance(known, dict) else {}


def _digest(text: str) -> str:
    """Return a checksum that detects changes; it is not a signature, and can be forged."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
