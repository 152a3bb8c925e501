"""(b) A plan of 50 checks against an endpoint that answers in 100 ms."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import urllib3

from benchmarks.events import ROOT, event
from benchmarks.server import serving

CHECKS = 50
DELAY = 0.1
RUNS = 7
_NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the logger is


def run(runs: int = RUNS) -> list[dict[str, Any]]:
    """Return the time of the plan against the same requests one after the other, the slowest check, and 100 ms."""
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    handler = stage_handler()
    durations = _Durations()
    logging.getLogger("ecs-hooks").addHandler(durations)
    plan_times, slowest_times = [], []
    with serving(DELAY) as address:
        checks = [{"type": "http", "name": f"check {number}", "path": f"/{number}"} for number in range(CHECKS)]
        asked = event(base_url=address, checks=checks)
        for index in range(runs + 1):
            durations.seconds.clear()
            plan_time = _time(lambda: _invoke(handler, asked))
            if index:  # the first run only warms up
                plan_times.append(plan_time)
                slowest_times.append(max(durations.seconds))
        sequence = _time(lambda: _in_sequence(address))
    plan = median(plan_times)
    against = [
        ("the same requests in sequence", sequence, None),
        ("the slowest of them", median(slowest_times), 1.5),
        ("the endpoint's own time", DELAY, None),
    ]
    return [
        {
            "name": f"{CHECKS} checks of {DELAY * 1000:.0f} ms",
            "measured_ms": plan * 1000,
            "baseline": baseline,
            "baseline_ms": seconds * 1000,
            "ratio": plan / seconds,
            "limit": limit,
        }
        for baseline, seconds, limit in against
    ]


class _Durations(logging.Handler):
    """Takes the duration of each check from its log line."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        duration = getattr(record, "duration_ms", None)
        if duration is not None:
            self.seconds.append(duration / 1000)


def stage_handler() -> Callable[[Any, Any], dict[str, Any]]:
    """Return the packaged handler of POST_TEST_TRAFFIC_SHIFT."""
    sys.path.insert(0, str(ROOT / "hooks"))
    # The logger keeps the output that it finds when it is made: the lines are written, and nobody has to read them.
    with redirect_stdout(_NOWHERE):
        handler: Callable[[Any, Any], dict[str, Any]] = importlib.import_module(
            "post_test_traffic_shift"
        ).lambda_handler
    return handler


def _invoke(handler: Callable[[Any, Any], dict[str, Any]], asked: dict[str, Any]) -> None:
    with redirect_stdout(StringIO()):
        answer = handler(asked, None)
    if answer["hookStatus"] != "SUCCEEDED":
        raise RuntimeError(answer["reason"])


def _in_sequence(address: str) -> None:
    with urllib3.PoolManager() as http:
        for number in range(CHECKS):
            http.request("GET", f"{address}/{number}")


def _time(function: Callable[[], None]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
