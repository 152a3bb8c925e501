"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA as ACTION
from ecs_hooks.aws.cloudwatch import Series, get_metric_data

__all__ = ["ACTION", "Series", "get_metric_data"]
