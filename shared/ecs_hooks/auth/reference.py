"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.auth.secret_store import SECRETS_MANAGER, SSM, Reference

__all__ = ["SECRETS_MANAGER", "SSM", "Reference"]
