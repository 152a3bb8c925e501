"""Removed by the renames of the merge: only for imports of other areas."""

from ecs_hooks.aws.cloudwatch import DESCRIBE_ALARMS as ACTION
from ecs_hooks.aws.cloudwatch import Alarm, alarms

__all__ = ["ACTION", "Alarm", "alarms"]
