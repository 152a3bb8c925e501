"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.auth.secret_resolver import Secret, TextOrReference

__all__ = ["Secret", "TextOrReference"]
