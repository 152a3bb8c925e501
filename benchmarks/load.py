"""(d) CPU time of a request of the load check, beside a bare loop of the same requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import urllib3

from benchmarks.context import context
from benchmarks.server import serving
from ecs_hooks.checks import LoadCheck

RATE = 200
SECONDS = 2
REQUESTS = RATE * SECONDS
RUNS = 5


def run(runs: int = RUNS) -> list[dict[str, Any]]:
    """Return the CPU time of a request, in the load check (schedule, workers, guard) and in urllib3's pool alone.

    A process that sleeps between two requests has cold CPU caches after each, so one baseline has the same rate.
    """
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    check = LoadCheck(requests_per_second=RATE, duration_seconds=SECONDS)
    load_times, loop_times, paced_times = [], [], []
    with serving(keep_alive=True) as address:
        for index in range(runs + 1):
            load_time = _cpu_time(lambda: _load(check, address))
            loop_time = _cpu_time(lambda: _loop(address))
            paced_time = _cpu_time(lambda: _loop(address, 1 / RATE))
            if index:  # the first run is a warm-up
                load_times.append(load_time)
                loop_times.append(loop_time)
                paced_times.append(paced_time)
    measured = median(load_times) / REQUESTS
    against = [("urllib3, one after the other", loop_times), ("urllib3, at the same rate", paced_times)]
    return [
        {
            "name": "load check, CPU of a request",
            "measured_ms": measured * 1000,
            "baseline": baseline,
            "baseline_ms": median(times) / REQUESTS * 1000,
            "ratio": measured * REQUESTS / median(times),
            "limit": None,
        }
        for baseline, times in against
    ]


def _load(check: LoadCheck, address: str) -> None:
    outcome = check.run(context(address, SECONDS + check.requirements().seconds))
    # Only its CPU time counts, not its delay.
    if outcome.evidence.get("errors_percent") != 0:
        raise RuntimeError(outcome.reason)


def _loop(address: str, pause: float = 0) -> None:
    due = time.monotonic()
    with urllib3.PoolManager() as http:
        for _ in range(REQUESTS):
            http.request("GET", address)
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))


def _cpu_time(function: Callable[[], None]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began
