"""The kinds of checks, each loaded when a plan first names it.

A hook that only speaks HTTP must not pay for loading an AWS client, so this package imports no check by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecs_hooks.checks.alarm import AlarmCheck
    from ecs_hooks.checks.base import Check
    from ecs_hooks.checks.compare.compare_check import CompareCheck
    from ecs_hooks.checks.comparison.check import ComparisonCheck
    from ecs_hooks.checks.context import CheckContext
    from ecs_hooks.checks.digest import DigestCheck
    from ecs_hooks.checks.drift import DriftCheck
    from ecs_hooks.checks.golden_signals import GoldenSignalsCheck
    from ecs_hooks.checks.http import HttpCheck
    from ecs_hooks.checks.invoke import InvokeCheck
    from ecs_hooks.checks.load.load_check import LoadCheck
    from ecs_hooks.checks.logs import LogsCheck
    from ecs_hooks.checks.metric import MetricCheck
    from ecs_hooks.checks.scenario.scenario_check import ScenarioCheck
    from ecs_hooks.checks.targets import TargetsCheck
    from ecs_hooks.checks.tasks import TasksCheck
    from ecs_hooks.checks.tcp import TcpCheck

__all__ = [
    "CHECKS",
    "AlarmCheck",
    "Check",
    "CheckContext",
    "CompareCheck",
    "ComparisonCheck",
    "DigestCheck",
    "DriftCheck",
    "GoldenSignalsCheck",
    "HttpCheck",
    "InvokeCheck",
    "LoadCheck",
    "LogsCheck",
    "MetricCheck",
    "ScenarioCheck",
    "TargetsCheck",
    "TasksCheck",
    "TcpCheck",
    "check_class",
]

CHECKS = {
    "http": "ecs_hooks.checks.http:HttpCheck",
    "alarm": "ecs_hooks.checks.alarm:AlarmCheck",
    "compare": "ecs_hooks.checks.compare.compare_check:CompareCheck",
    "comparison": "ecs_hooks.checks.comparison.check:ComparisonCheck",
    "digest": "ecs_hooks.checks.digest:DigestCheck",
    "drift": "ecs_hooks.checks.drift:DriftCheck",
    "golden_signals": "ecs_hooks.checks.golden_signals:GoldenSignalsCheck",
    "invoke": "ecs_hooks.checks.invoke:InvokeCheck",
    "load": "ecs_hooks.checks.load.load_check:LoadCheck",
    "logs": "ecs_hooks.checks.logs:LogsCheck",
    "metric": "ecs_hooks.checks.metric:MetricCheck",
    "scenario": "ecs_hooks.checks.scenario.scenario_check:ScenarioCheck",
    "targets": "ecs_hooks.checks.targets:TargetsCheck",
    "tasks": "ecs_hooks.checks.tasks:TasksCheck",
    "tcp": "ecs_hooks.checks.tcp:TcpCheck",
}
"""`type` in a plan, to the class that answers it. Add an entry to name a check of your own in a plan."""

_PUBLIC = {
    "Check": "ecs_hooks.checks.base:Check",
    "CheckContext": "ecs_hooks.checks.context:CheckContext",
    **{place.partition(":")[2]: place for place in CHECKS.values()},
}


def check_class(kind: str) -> type[Check]:
    """Return the class of a kind of check.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    loaded: type[Check] = _load(CHECKS[kind])
    return loaded


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _load(_PUBLIC[name])
