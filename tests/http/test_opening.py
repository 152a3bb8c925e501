from __future__ import annotations

import ssl

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import opening
from ecs_hooks.http.budget import Budget
from ecs_hooks.http.opening import Tls, opened
from ecs_hooks.http.resolver import Endpoint, resolve
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import Trust, tls_context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer


def test_time_that_goes_into_the_settings_of_tls_is_no_part_of_the_look_up(
    serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopwatch:
        seconds = 0.0

        def perf_counter(self) -> float:
            return self.seconds

    def look_up(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
        stopwatch.seconds += 1
        return list(resolve(host, port, deadline))

    def context() -> ssl.SSLContext:
        stopwatch.seconds += 10
        return tls_context(Trust(True, "", "1.2"))

    server = serve(Peer.request, server_context(trusted.issue_cert("127.0.0.1")))
    stopwatch = Stopwatch()
    monkeypatch.setattr(opening, "time", stopwatch)
    connection = opened(
        "127.0.0.1", server.port, Tls("127.0.0.1", context), Budget.start(10, Deadline.after(10)), look_up
    )
    connection.socket.close()

    assert connection.began_at == 11
    assert connection.timings == Timings(resolve=1)
