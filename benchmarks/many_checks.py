"""(b) A plan of 50 checks against an endpoint that answers in 100 ms."""

from __future__ import annotations

import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.events import ROOT, event
from benchmarks.figures import row
from benchmarks.server import serving

CHECKS = 50
DELAY = 0.1
ROUNDS = 15
_NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the logger is


def run(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return the time of the plan against its slowest check, `hey` with the same load, and the requests in sequence."""
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    handler = stage_handler()
    durations = _Durations()
    logging.getLogger("ecs-hooks").addHandler(durations)
    hey = shutil.which("hey")
    if hey is None:
        print("hey is not installed (apt-get install hey): nothing is compared with it", file=sys.stderr)
    plan_times, slowest_times, hey_times = [], [], []
    with serving(DELAY) as address:
        checks = [{"type": "http", "name": f"check {number}", "path": f"/{number}"} for number in range(CHECKS)]
        asked = event(base_url=address, checks=checks)
        _invoke(handler, asked)  # only warms up
        # In turn, so that whatever else the machine does falls on all of them alike.
        for _ in range(rounds):
            durations.seconds.clear()
            plan_times.append(_time(lambda: _invoke(handler, asked)))
            slowest_times.append(max(durations.seconds))
            if hey is not None:
                hey_times.append(_hey(hey, address))
        sequence = _time(lambda: _in_sequence(address))
    name = f"{CHECKS} checks of {DELAY * 1000:.0f} ms"
    return [
        row(name, plan_times, "the slowest of them", slowest_times, 1.2),
        *([row(name, plan_times, f"hey -c {CHECKS} -n {CHECKS}", hey_times, 1.1)] if hey_times else []),
        row(name, plan_times, "the same requests in sequence", [sequence] * rounds, None),
        row(name, plan_times, "the endpoint's own time", [DELAY] * rounds, None),
    ]


def _hey(hey: str, address: str) -> float:
    """Return the seconds that hey itself counts, without those of its start."""
    command = [hey, "-c", str(CHECKS), "-n", str(CHECKS), address]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - found in the PATH
    answered, total = re.search(r"\[200\]\s+(\d+) responses", told), re.search(r"Total:\s+([\d.]+) secs", told)
    if answered is None or total is None or int(answered.group(1)) != CHECKS:
        raise RuntimeError(told)
    return float(total.group(1))


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
