"""What was found out about a deployment: each fact asked for once, and kept over IN_PROGRESS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from threading import RLock
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ecs_hooks.aws.errors import FactError

MAX_BYTES = 2_048
"""What the facts may take of the state. Facts that do not fit are asked for once more."""

T = TypeVar("T")


class Facts:
    """Facts by name.

    Only what can't change during a deployment is kept over IN_PROGRESS: which target group is green's, not where a rule
    leads. What comes back of it is trusted only as it was given away: ECS may have merged it, somebody may have edited
    it, another version of this library may have written it. Anything else is asked for anew.

    Parameters
    ----------
    known
        What earlier invocations found out, as `dump` wrote it.
    """

    def __init__(self, known: str = "") -> None:
        self._lock = RLock()
        self._stored = _decode(known)
        self._found: dict[str, Any] = {}
        self._errors: dict[str, FactError] = {}

    def get(self, name: str, find: Callable[[], T], *, kind: Any = None, keep: Callable[[T], bool] = bool) -> T:
        """Return a fact, and find it out where it is not known yet.

        Checks ask from several threads at once: one of them asks AWS, for the others too. Where that fails, it fails for
        all of this invocation.

        Parameters
        ----------
        name
            Its name.
        find
            Asks AWS. Raises `FactError`.
        kind
            Type of a fact that holds for later invocations, too: JSON values, or a `NamedTuple` of such. None for a fact
            that may change.
        keep
            Whether what was found really holds for them. Default: where it is not empty.
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
        """Take a fact from those that came back, and return whether it is one."""
        if kind is None or name not in self._stored:
            return False
        try:
            # Strictly, and from JSON: there a tuple is an array.
            self._found[name] = _adapter(kind).validate_json(json.dumps(self._stored[name]), strict=True)
        except ValidationError:
            del self._stored[name]
            return False
        return True

    def dump(self) -> str:
        """Return the facts for the state, as a text since ECS may merge objects; empty where they are too many."""
        # Without the lock: a call to AWS that hangs holds it, and the answer must not wait for that.
        stored = dict(self._stored)
        text = json.dumps(stored, separators=(",", ":"))
        text = f"{_digest(text)} {text}"
        return text if len(text) <= MAX_BYTES and stored else ""


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what validates facts of a kind: to make it takes longer than all facts of an invocation."""
    return TypeAdapter(kind)


def _decode(text: str) -> dict[str, Any]:
    digest, _, body = text.partition(" ")
    if digest != _digest(body):
        return {}
    known = json.loads(body)
    return known if isinstance(known, dict) else {}


def _digest(text: str) -> str:
    """Return what tells whether a text is still the one that was given away. It is no seal: whoever wants to can forge it."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
