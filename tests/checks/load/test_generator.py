"""What a load says where the function that sends it is too slow itself."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from ecs_hooks.checks import LoadCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.checks.load.starving import starve
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

FIX = "lower requests_per_second, or give the function more memory, with which it gets more CPU"


def put(url: str, **fields: Any) -> Outcome:
    load = {"requests_per_second": 40, "duration_seconds": 1, "timeout_seconds": 5, **fields}
    return LoadCheck.model_validate(load).run(context(url))


def starving_once(seconds: float) -> Script:
    """A server that answers at once, but keeps the process that it shares with the load from running for a while."""
    once = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request():
            if not once.is_set():
                once.set()
                starve(seconds)
            peer.answer(b"ok")

    return script


def test_a_function_that_does_not_get_to_run_says_nothing_of_green(serve: Serve) -> None:
    outcome = put(serve(starving_once(0.6)).url)

    assert outcome.status is Status.ERROR, outcome
    assert re.match(
        r"the function sent \d+ of 40 requests a second, and took p95 \d+(\.\d)? ms itself: ", outcome.reason
    )
    assert outcome.reason.endswith(f" itself: nothing is known of green; {FIX}")


def test_a_limit_that_the_function_alone_exceeds_is_not_held_against_green(serve: Serve) -> None:
    outcome = put(serve(starving_once(0.6)).url, max_p99_ms=400)

    assert outcome.status is Status.ERROR, outcome
    own, p99 = outcome.evidence["own_p99_ms"], outcome.evidence["p99_ms"]
    assert isinstance(own, float)
    assert isinstance(p99, float)
    assert p99 > 400
    assert own > 0.5 * p99


def test_a_server_that_keeps_all_workers_busy_is_not_the_function(serve: Serve) -> None:
    """Requests wait for their turn for seconds, the function has hardly anything to do: that is green's own slowness.

    A busy machine takes some of it, too, but not so much that nothing would be left of the time that the server sleeps.
    """

    def script(peer: Peer) -> None:
        while peer.request():
            time.sleep(0.25)
            peer.answer(b"ok")

    outcome = put(serve(script).url, max_in_flight=2, timeout_seconds=10, max_p95_ms=1000)
    # 40 requests, two at a time, 0.25 s each: that takes 5 s.
    assert outcome.status is Status.FAIL, outcome
    assert "expected p95 within 1000 ms" in outcome.reason
    p99 = outcome.evidence["p99_ms"]
    assert isinstance(p99, float)
    assert p99 >= 5000 - 975
