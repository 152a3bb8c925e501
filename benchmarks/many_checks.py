"""(b) A plan of 50 checks against an endpoint that responds in 100 ms."""

from __future__ import annotations

import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import urllib3

from benchmarks.context import context
from benchmarks.events import ROOT, event
from benchmarks.figures import row
from benchmarks.server import serving
from ecs_hooks.checks import CheckContext, HttpCheck
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.state import State
from ecs_hooks.engine.runner import Runner
from ecs_hooks.engine.telemetry import log_result

CHECKS = 50
DELAY = 0.1
ROUNDS = 15
_NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the logger is


def run(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return the time of the checks, and of the whole hook, against the slowest check and against `hey`.

    The checks run as in a warm hook, each with a connection of its own. They end with the outcome of the last one, as
    `hey` ends with the last response. Their log lines come after that, and are a row of their own. The hook also
    reads the event and the plan, and writes verdict and metrics.
    """
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    handler = stage_handler()
    durations = _Durations()
    logging.getLogger("ecs-hooks").addHandler(durations)
    hey = shutil.which("hey")
    if hey is None:
        print("hey is not installed; install it (apt-get install hey) to compare with it", file=sys.stderr)
    check_times, slowest_times, line_times, hook_times, slowest_in_hook, hey_times = [], [], [], [], [], []
    with serving(DELAY) as address:
        described = [{"type": "http", "name": f"check {number}", "path": f"/{number}"} for number in range(CHECKS)]
        invocation = event(base_url=address, checks=described)
        checks = [_Timed.model_validate(each) for each in described]
        _invoke(handler, invocation)  # only warms up
        # In turn, so that other load of the machine affects all of them.
        for _ in range(rounds):
            finished, written = _check(checks, address)
            check_times.append(finished)
            line_times.append(written)
            slowest_times.append(durations.slowest())
            hook_times.append(_time(lambda: _invoke(handler, invocation)))
            slowest_in_hook.append(durations.slowest())
            if hey is not None:
                hey_times.append(_hey(hey, address))
        sequence = _time(lambda: _in_sequence(address))
    name, hook, endpoint = f"{CHECKS} checks of {DELAY * 1000:.0f} ms", f"hook with {CHECKS} checks", [DELAY] * rounds
    with_lines = f"{name} and their log lines"
    rows = [
        row(name, check_times, "the slowest of them", slowest_times, 1.2),
        row(name, check_times, "the same requests in sequence", [sequence] * rounds, None),
        row(name, check_times, "the endpoint's own time", endpoint, None),
        row(with_lines, line_times, "the slowest of them", slowest_times, None),
        row(hook, hook_times, "the slowest of them", slowest_in_hook, 1.4),
    ]
    if hey_times:
        command = f"hey -c {CHECKS} -n {CHECKS}"
        rows += [
            row(name, check_times, command, hey_times, 1.25),
            row(with_lines, line_times, command, hey_times, None),
            row(hook, hook_times, command, hey_times, None),
            row(command, hey_times, "the endpoint's own time", endpoint, None),
        ]
    return rows


class _Timed(HttpCheck):
    """Records the time of its outcome."""

    outcomes_at: ClassVar[list[float]] = []

    def run(self, context: CheckContext) -> Outcome:
        outcome = super().run(context)
        self.outcomes_at.append(time.perf_counter())
        return outcome


def _check(checks: Sequence[HttpCheck], address: str) -> tuple[float, float]:
    """Return the seconds until the last check has its outcome, and until all log lines are written."""
    parsed = LifecycleEvent.parse(event())
    _Timed.outcomes_at.clear()
    began = time.perf_counter()
    runner = Runner(context(address), State("0", 0), lambda result: log_result(result, parsed))
    outcomes = runner.run(checks)
    ended = time.perf_counter()
    for outcome in outcomes:
        if outcome.status is not Status.PASS:
            raise RuntimeError(outcome.reason)
    return max(_Timed.outcomes_at) - began, ended - began


def _hey(hey: str, address: str) -> float:
    """Return the seconds that hey reports, without its start."""
    command = [hey, "-c", str(CHECKS), "-n", str(CHECKS), address]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - found in the PATH
    responses, total = re.search(r"\[200\]\s+(\d+) responses", output), re.search(r"Total:\s+([\d.]+) secs", output)
    if responses is None or total is None or int(responses.group(1)) != CHECKS:
        raise RuntimeError(output)
    return float(total.group(1))


class _Durations(logging.Handler):
    """Reads the duration of each check from its log line."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def slowest(self) -> float:
        """Return the longest one since the last call."""
        seconds, self.seconds = self.seconds, []
        return max(seconds)

    def emit(self, record: logging.LogRecord) -> None:
        duration = getattr(record, "duration_ms", None)
        if duration is not None:
            self.seconds.append(duration / 1000)


def stage_handler() -> Callable[[Any, Any], dict[str, Any]]:
    """Return the packaged handler of POST_TEST_TRAFFIC_SHIFT."""
    sys.path.insert(0, str(ROOT / "hooks"))
    handler: Callable[[Any, Any], dict[str, Any]] = importlib.import_module("post_test_traffic_shift").lambda_handler
    for each in logging.getLogger("ecs-hooks").handlers:
        if isinstance(each, logging.StreamHandler):
            each.setStream(_NOWHERE)  # the lines are written, and discarded
    return handler


def _invoke(handler: Callable[[Any, Any], dict[str, Any]], invocation: dict[str, Any]) -> None:
    with redirect_stdout(StringIO()):
        answer = handler(invocation, None)
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
