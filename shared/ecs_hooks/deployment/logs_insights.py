"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.deployment.logs import RESULTS, START, Row, rows_of, start_queries

__all__ = ["RESULTS", "START", "Row", "rows_of", "start_queries"]
