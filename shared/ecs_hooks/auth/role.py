"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.auth.sigv4 import ASSUME_ROLE as ACTION
from ecs_hooks.auth.sigv4 import roles as known

__all__ = ["ACTION", "known"]
