"""What was found out about a deployment: each fact asked for once, and kept over IN_PROGRESS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any

from ecs_hooks.deployment.errors import FactError

MAX_BYTES = 2_048
"""What the facts may take of the state. Facts that do not fit are asked for once more."""


class Facts:
    """Facts by name, as JSON values.

    Only what can't change during a deployment is kept over IN_PROGRESS: which target group is green's, not where a rule
    leads.

    Parameters
    ----------
    known
        What earlier invocations found out.
    """

    def __init__(self, known: str = "") -> None:
        self._lock = RLock()
        self._known = _decode(known)
        self._passing: dict[str, Any] = {}
        self._errors: dict[str, FactError] = {}

    def get(self, name: str, find: Callable[[], Any], *, keep: Callable[[Any], bool] = bool) -> Any:
        """Return a fact, and find it out where it is not known yet.

        Checks ask from several threads at once: one of them asks AWS, for the others too. Where that fails, it fails for
        all of this invocation.

        Parameters
        ----------
        name
            Its name.
        find
            Asks AWS; what it returns has to be JSON values where it is kept. Raises `FactError`.
        keep
            Whether what was found holds for later invocations, too. Default: where it is not empty.
        """
        with self._lock:
            if name in self._errors:
                raise self._errors[name]
            for known in (self._known, self._passing):
                if name in known:
                    return known[name]
            try:
                found = find()
            except FactError as error:
                self._errors[name] = error
                raise
            (self._known if keep(found) else self._passing)[name] = found
            return found

    def dump(self) -> str:
        """Return the facts for the state, as a text since ECS may merge objects; empty where they are too many."""
        # Without the lock: a call to AWS that hangs holds it, and the answer must not wait for that.
        text = json.dumps(dict(self._known), separators=(",", ":"))
        return text if len(text) <= MAX_BYTES and self._known else ""


def _decode(text: str) -> dict[str, Any]:
    try:
        known = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return dict(known) if isinstance(known, Mapping) else {}
