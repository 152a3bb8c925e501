"""How the tests of loads ask, and the servers that they ask."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from ecs_hooks.checks import LoadCheck
from ecs_hooks.checks.load import evaluate, results
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

SECOND: dict[str, Any] = {"requests_per_second": 40, "duration_seconds": 1, "timeout_seconds": 5}
"""A load of 40 requests."""


@pytest.fixture
def _only_green(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about green: what a machine that others use takes itself is left to `test_load_generator.py`."""
    monkeypatch.setattr(evaluate, "_TOO_LATE_MS", math.inf)
    monkeypatch.setattr(results, "_MARGIN", 0)


def put(green: str | Endpoint | None, *, seconds: float = 20, **fields: Any) -> Outcome:
    return LoadCheck.model_validate({**SECOND, **fields}).run(context(green, seconds=seconds))


def answering(answer: Callable[[Peer, bytes], object] | None = None, seen: Counter[bytes] | None = None) -> Script:
    """A server that answers all requests of a connection, as a function does, and counts their first two words."""
    lock = threading.Lock()

    def script(peer: Peer) -> None:
        while request := peer.request():
            if seen is not None:
                with lock:
                    seen[b" ".join(request.split()[:2])] += 1
            if answer is None:
                peer.answer(b"ok")
            else:
                answer(peer, request)

    return script


def closed_port(serve: Serve) -> str:
    server = serve(answering())
    server.close()
    return server.url
