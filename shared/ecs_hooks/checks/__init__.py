"""The checks, and all that code with checks needs: their fields, expectations about responses, and the base class.

>>> from ecs_hooks.checks import Expect, HttpCheck
>>> HttpCheck(path="/health", expect=Expect(status="2xx", max_latency_ms=500))

Each name loads its module on first use: a hook that only sends HTTP requests must not load an AWS client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.gc_freeze import gc_freeze

if TYPE_CHECKING:
    from ecs_hooks.assertions.expect import Expect
    from ecs_hooks.assertions.filters import Filter
    from ecs_hooks.assertions.filters.functions import RegexReplacement, Replacement
    from ecs_hooks.assertions.predicate import Condition, Predicate
    from ecs_hooks.assertions.query import Assertion
    from ecs_hooks.auth.fields import ApiKey, Auth, Basic, Bearer, MutualTls, OAuth2, SigV4
    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.checks.alarm import AlarmCheck
    from ecs_hooks.checks.base import AtStep, Check, Requirements
    from ecs_hooks.checks.compare.compare_check import CompareCheck, CompareRequest
    from ecs_hooks.checks.compare.ignored_text import IgnoredText
    from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Effect
    from ecs_hooks.checks.comparison.comparison_check import ComparisonCheck
    from ecs_hooks.checks.context import CheckContext
    from ecs_hooks.checks.digest import DigestCheck
    from ecs_hooks.checks.drift import DriftCheck
    from ecs_hooks.checks.golden_signals.golden_signals_check import GoldenSignalsCheck
    from ecs_hooks.checks.http import HttpCheck, Until
    from ecs_hooks.checks.invoke import InvokeCheck
    from ecs_hooks.checks.load.load_check import LoadCheck, LoadRequest
    from ecs_hooks.checks.logs import LogsCheck
    from ecs_hooks.checks.metric import MetricCheck, MetricQuery
    from ecs_hooks.checks.request.body_fields import Part
    from ecs_hooks.checks.samples import Samples
    from ecs_hooks.checks.scenario.scenario_check import ScenarioCheck
    from ecs_hooks.checks.scenario.scenario_request import Capture, Retry, ScenarioRequest
    from ecs_hooks.checks.targets import TargetsCheck
    from ecs_hooks.checks.tasks import TasksCheck
    from ecs_hooks.checks.tcp import TcpBody, TcpCheck, TcpExpect
    from ecs_hooks.core.measurement import Watch

__all__ = [
    "CHECKS",
    "AlarmCheck",
    "ApiKey",
    "Assertion",
    "AtStep",
    "Auth",
    "Basic",
    "Bearer",
    "Capture",
    "Check",
    "CheckContext",
    "CompareCheck",
    "CompareRequest",
    "ComparedMetric",
    "ComparisonCheck",
    "Condition",
    "DigestCheck",
    "DriftCheck",
    "Effect",
    "Expect",
    "Filter",
    "GoldenSignalsCheck",
    "HttpCheck",
    "IgnoredText",
    "InvokeCheck",
    "LoadCheck",
    "LoadRequest",
    "LogsCheck",
    "MetricCheck",
    "MetricQuery",
    "MutualTls",
    "OAuth2",
    "Part",
    "Predicate",
    "Reference",
    "RegexReplacement",
    "Replacement",
    "Requirements",
    "Retry",
    "Samples",
    "ScenarioCheck",
    "ScenarioRequest",
    "SigV4",
    "TargetsCheck",
    "TasksCheck",
    "TcpBody",
    "TcpCheck",
    "TcpExpect",
    "Until",
    "Watch",
    "check_class",
]

CHECKS = {
    "http": "ecs_hooks.checks.http:HttpCheck",
    "alarm": "ecs_hooks.checks.alarm:AlarmCheck",
    "compare": "ecs_hooks.checks.compare.compare_check:CompareCheck",
    "comparison": "ecs_hooks.checks.comparison.comparison_check:ComparisonCheck",
    "digest": "ecs_hooks.checks.digest:DigestCheck",
    "drift": "ecs_hooks.checks.drift:DriftCheck",
    "golden_signals": "ecs_hooks.checks.golden_signals.golden_signals_check:GoldenSignalsCheck",
    "invoke": "ecs_hooks.checks.invoke:InvokeCheck",
    "load": "ecs_hooks.checks.load.load_check:LoadCheck",
    "logs": "ecs_hooks.checks.logs:LogsCheck",
    "metric": "ecs_hooks.checks.metric:MetricCheck",
    "scenario": "ecs_hooks.checks.scenario.scenario_check:ScenarioCheck",
    "targets": "ecs_hooks.checks.targets:TargetsCheck",
    "tasks": "ecs_hooks.checks.tasks:TasksCheck",
    "tcp": "ecs_hooks.checks.tcp:TcpCheck",
}
"""The class of each `type` of check in a plan. To use a check of your own in plans, add its entry."""

_OTHERS = {
    "ecs_hooks.assertions.query": ("Assertion",),
    "ecs_hooks.assertions.expect": ("Expect",),
    "ecs_hooks.assertions.filters": ("Filter",),
    "ecs_hooks.assertions.filters.functions": ("RegexReplacement", "Replacement"),
    "ecs_hooks.assertions.predicate": ("Condition", "Predicate"),
    "ecs_hooks.auth.fields": ("ApiKey", "Auth", "Basic", "Bearer", "MutualTls", "OAuth2", "SigV4"),
    "ecs_hooks.auth.secret_store": ("Reference",),
    "ecs_hooks.checks.base": ("AtStep", "Check", "Requirements"),
    "ecs_hooks.checks.compare.compare_check": ("CompareRequest",),
    "ecs_hooks.checks.compare.ignored_text": ("IgnoredText",),
    "ecs_hooks.checks.comparison.compared_metric": ("ComparedMetric", "Effect"),
    "ecs_hooks.checks.context": ("CheckContext",),
    "ecs_hooks.checks.http": ("Until",),
    "ecs_hooks.checks.load.load_check": ("LoadRequest",),
    "ecs_hooks.checks.metric": ("MetricQuery",),
    "ecs_hooks.checks.request.body_fields": ("Part",),
    "ecs_hooks.checks.samples": ("Samples",),
    "ecs_hooks.checks.scenario.scenario_request": ("Capture", "Retry", "ScenarioRequest"),
    "ecs_hooks.checks.tcp": ("TcpBody", "TcpExpect"),
    "ecs_hooks.core.measurement": ("Watch",),
}
"""All other names, by module. `__all__` and the imports above repeat them, because type checkers do not run this file."""


def check_class(kind: str) -> type[Check]:
    """Return the class for a `type` in a plan.

    Raises
    ------
    KeyError
        If no check has this type.
    """
    module, _, name = CHECKS[kind].partition(":")
    with gc_freeze():
        loaded: type[Check] = getattr(import_module(module), name)
    return loaded


def __getattr__(name: str) -> Any:
    places = [tuple(place.split(":")) for place in CHECKS.values()]
    places += [(module, each) for module, names in _OTHERS.items() for each in names]
    for module, each in places:
        if each == name:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
