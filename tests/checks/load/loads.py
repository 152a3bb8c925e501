"""Loads, and servers for them."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ecs_hooks.checks import LoadCheck
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

SECOND: dict[str, Any] = {"requests_per_second": 40, "duration_seconds": 1, "timeout_seconds": 5}
"""A load of 40 requests."""


def put(green: str | Endpoint | None, *, seconds: float = 20, **fields: Any) -> Outcome:
    return LoadCheck.model_validate({**SECOND, **fields}).run(context(green, seconds=seconds))


def brief(load: LoadCheck) -> LoadCheck:
    """Return a load with the same requests in a quarter of the time, which is less than a plan allows."""
    rate, seconds = load.requests_per_second, load.duration_seconds
    return load.model_copy(update={"requests_per_second": rate * 4, "duration_seconds": seconds / 4})


def put_briefly(green: str | Endpoint | None, **fields: Any) -> Outcome:
    """Run a brief load, for an outcome that does not depend on the rate."""
    return brief(LoadCheck.model_validate({**SECOND, **fields})).run(context(green))


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


def starve(seconds: float) -> None:
    """Keep the interpreter from every other thread, as a processor that somebody else needs would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
    finally:
        sys.setswitchinterval(interval)
