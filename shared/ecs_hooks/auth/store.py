"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.auth.secret_store import READABLE, known, named

__all__ = ["READABLE", "known", "named"]
