from __future__ import annotations

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.errors import DeadlineError, HttpError, NameResolutionError, ResponseTimeoutError
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.tcp_probe import TcpProbe, run_probe
from tests.http.fixtures import Serve


def budget(seconds: float, invocation: float = 20) -> Budget:
    return Budget.start(seconds, Deadline.after(invocation))


def test_the_phases_are_timed(serve: Serve) -> None:
    server = serve(lambda peer: peer.send(b"hello"))
    result = run_probe(TcpProbe("127.0.0.1", server.port, b"", lambda _: True), budget(10))

    assert result.end == "enough"
    assert result.content
    assert result.timings.connect > 0
    assert result.timings.tls == 0


@pytest.mark.parametrize(("invocation", "kind"), [(20, ResponseTimeoutError), (0.3, DeadlineError)])
def test_sending_to_a_server_that_reads_nothing_ends_in_time(
    serve: Serve, invocation: float, kind: type[HttpError]
) -> None:
    server = serve(lambda peer: peer.hang())

    with pytest.raises(kind, match="request not accepted"):
        run_probe(TcpProbe("127.0.0.1", server.port, b"x" * 50_000_000), budget(0.5, invocation))


def test_a_name_without_an_address() -> None:
    with pytest.raises(NameResolutionError):
        run_probe(TcpProbe("nowhere.invalid", 80), budget(10))
