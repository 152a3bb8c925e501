"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.service_deployment import LIST_DEPLOYMENTS as ACTION

__all__ = ["ACTION"]
