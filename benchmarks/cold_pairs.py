"""Cold starts of two functions in turn, so that other load of the machine affects both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.interpreters import Interpreter
from benchmarks.runtime import cold_start


class Function(NamedTuple):
    """A Lambda function, and the event of its cold start.

    Parameters
    ----------
    handler
        The handler in Lambda's form, `module.function`.
    directory
        The folder of the module.
    event
        The event.
    environment
        Environment variables.
    answer
        The expected `hookStatus`.
    """

    handler: str
    directory: Path
    event: dict[str, Any]
    environment: Mapping[str, str]
    answer: str


def compare(
    python: Interpreter, hook: Function, baseline: Function, runs: int, before: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Start baseline and hook in turn, and return the medians of both, and the median of the ratios of the pairs.

    Parameters
    ----------
    python
        The interpreter.
    hook, baseline
        The functions.
    runs
        Number of pairs.
    before
        Called before each start.
    """
    hook_times: list[float] = []
    baseline_times: list[float] = []
    for _ in range(runs + 1):
        for function, times in ((baseline, baseline_times), (hook, hook_times)):
            before()
            times.append(_start(python, function))
    # The first pair fills the file cache and compiles.
    pairs = list(zip(hook_times, baseline_times, strict=True))[1:]
    return {
        "measured_ms": median(ours for ours, _ in pairs) * 1000,
        "baseline_ms": median(theirs for _, theirs in pairs) * 1000,
        "ratio": median(ours / theirs for ours, theirs in pairs),
    }


def _start(python: Interpreter, function: Function) -> float:
    environment = {"PYTHONPATH": python.path, **function.environment}
    seconds, answer = cold_start([python.command], function.handler, function.directory, function.event, **environment)
    if answer.get("hookStatus") != function.answer:
        raise RuntimeError(f"{function.handler} answered {answer}")
    return seconds
