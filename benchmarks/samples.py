"""(f) CPU time of a sampled request, beside a bare loop of the same requests on one reused connection."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import urllib3

from benchmarks.context import context
from benchmarks.figures import row
from benchmarks.server import serving
from ecs_hooks.checks import HttpCheck

REQUESTS = 10_000
ROUNDS = 20
"""Rounds, each with a share of the requests, in turn: other load of the machine affects all sides."""


def run(requests: int = REQUESTS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Return the CPU time of `samples` against that of urllib3's pool manager, and of its pool for one host.

    Every sampled request has the address guard, a deadline, a size limit and expectations; the loops have none of them.
    """
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    count = requests // rounds
    check = HttpCheck.model_validate({"samples": {"count": count}})
    sampled, managed, pooled = [], [], []
    with serving(keep_alive=True) as address:
        for index in range(rounds + 1):
            sampled_time = _cpu_time(lambda: _sample(check, address))
            managed_time = _cpu_time(lambda: _manager(address, count))
            pooled_time = _cpu_time(lambda: _pool(address, count))
            if index:  # the first round is a warm-up
                sampled.append(sampled_time / count)
                managed.append(managed_time / count)
                pooled.append(pooled_time / count)
    name = f"{count * rounds:,} samples, CPU of one"
    return [
        row(name, sampled, "urllib3.PoolManager", managed, 1.3),
        row(name, sampled, "urllib3.HTTPConnectionPool", pooled, None),
    ]


def _sample(check: HttpCheck, address: str) -> None:
    outcome = check.run(context(address))
    if outcome.evidence.get("success_percent") != 100:  # noqa: PLR2004 - all of them
        raise RuntimeError(outcome.reason)


def _manager(address: str, count: int) -> None:
    with urllib3.PoolManager() as http:
        for _ in range(count):
            http.request("GET", f"{address}/")


def _pool(address: str, count: int) -> None:
    place = urlsplit(address)
    with urllib3.HTTPConnectionPool(place.hostname or "", place.port) as http:
        for _ in range(count):
            http.request("GET", "/")


def _cpu_time(function: Callable[[], None]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began
