from __future__ import annotations

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.budget import Budget
from ecs_hooks.http.errors import DeadlineError, HttpError, NameResolutionError, ResponseTimeoutError
from ecs_hooks.http.stream import Talk, talk
from tests.http.fixtures import Serve


def budget(seconds: float, invocation: float = 20) -> Budget:
    return Budget.start(seconds, Deadline.after(invocation))


def test_the_time_of_a_talk_is_known_by_its_parts(serve: Serve) -> None:
    heard = talk(Talk("127.0.0.1", serve(lambda peer: peer.send(b"hello")).port, b"", lambda _: True), budget(10))

    assert heard.end == "enough"
    assert heard.content
    assert heard.timings.connect > 0
    assert heard.timings.tls == 0


@pytest.mark.parametrize(("invocation", "kind"), [(20, ResponseTimeoutError), (0.3, DeadlineError)])
def test_what_nobody_takes_is_given_up(serve: Serve, invocation: float, kind: type[HttpError]) -> None:
    server = serve(lambda peer: peer.hang())

    with pytest.raises(kind, match="request not accepted"):
        talk(Talk("127.0.0.1", server.port, b"x" * 50_000_000), budget(0.5, invocation))


def test_a_name_without_an_address() -> None:
    with pytest.raises(NameResolutionError):
        talk(Talk("nowhere.invalid", 80), budget(10))
