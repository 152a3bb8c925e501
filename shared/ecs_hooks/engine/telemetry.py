"""Log lines and metrics of a hook. A failure to write them never changes an answer."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.shared.functions import powertools_dev_is_set

from ecs_hooks.core.outcome import Status
from ecs_hooks.core.response import HookStatus

if TYPE_CHECKING:
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.core.response import HookResponse
    from ecs_hooks.engine.runner import Result

NAMESPACE = "EcsHooks"
"""CloudWatch namespace of the metrics, unless `POWERTOOLS_METRICS_NAMESPACE` names another."""


def _serialized(line: Any) -> str:
    """Return a log line as JSON that every encoder accepts, so that no line is lost.

    An event can contain half of a surrogate pair, for which `backslashreplace` happens to write JSON's own escape.
    """
    indent = 4 if powertools_dev_is_set() else None
    text = json.dumps(line, default=str, separators=(",", ":"), indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


logger = Logger(service="ecs-hooks", json_serializer=_serialized)

_METRICS = {HookStatus.SUCCEEDED: "Succeeded", HookStatus.FAILED: "Failed", HookStatus.IN_PROGRESS: "InProgress"}


def log_result(result: Result, event: HookEvent) -> None:
    """Write one log line about an outcome.

    Parameters
    ----------
    result
        The outcome and its check.
    event
        The event.
    """
    with log_errors_suppressed():
        outcome = result.outcome
        extra = {
            **event.log_keys,
            "check": result.label,
            "outcome": outcome.status.value,
            "duration_ms": None if result.seconds is None else round(result.seconds * 1000, 1),
            "evidence": dict(outcome.evidence),
        }
        if result.traceback is not None:
            extra["traceback"] = result.traceback
        fine = outcome.status in {Status.PASS, Status.SKIP} and not outcome.warns
        write = logger.info if fine else logger.warning
        write(f"{outcome.status.value} {result.label} {outcome.reason}".strip(), extra=extra)


def report(response: HookResponse, event: HookEvent | None, results: Sequence[Result], plan: str = "") -> None:
    """Write the log line of the verdict, then the metrics.

    Parameters
    ----------
    response
        The answer.
    event
        The event; None where it could not be read.
    results
        The outcomes.
    plan
        Where the plan is from; empty where that is unknown.
    """
    keys = {} if event is None else event.log_keys
    keys = {**keys, "plan": plan} if plan else keys
    with log_errors_suppressed():
        write = logger.info if response.status is HookStatus.SUCCEEDED else logger.warning
        write(response.reason, extra={**keys, "verdict": response.status.value})
    with log_errors_suppressed():
        _publish(response, event, results)


@contextmanager
def log_errors_suppressed() -> Iterator[None]:
    """Suppress every exception of the log and the metrics."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the answer matters more
        print(f"ecs-hooks: could not report: {type(error).__name__}")  # noqa: T201 - the log itself has failed


def _publish(response: HookResponse, event: HookEvent | None, results: Sequence[Result]) -> None:
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
    metrics = EphemeralMetrics(namespace=namespace, service="unknown" if event is None else event.service_name)
    stage = "unknown" if event is None else str(event.stage)
    # CloudWatch accepts ASCII in dimensions; an unknown stage could contain anything.
    metrics.add_dimension(name="stage", value=re.sub(r"[^\x21-\x7e]", "?", stage)[:250])
    metrics.add_metric(name=_METRICS[response.status], unit=MetricUnit.Count, value=1)
    for result in results:
        if result.seconds is not None:
            metrics.add_metric(name="CheckDuration", unit=MetricUnit.Milliseconds, value=result.seconds * 1000)
    metrics.flush_metrics()
