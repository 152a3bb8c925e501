from __future__ import annotations

import ssl
from ipaddress import ip_address

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import connect as module
from ecs_hooks.http.connect import connect
from ecs_hooks.http.errors import ConnectError
from ecs_hooks.http.limits import Budget, Trust
from ecs_hooks.http.resolver import Endpoint, resolve
from ecs_hooks.http.response import Timings
from ecs_hooks.http.tls import TlsOptions, tls_context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer


def test_loading_authorities_is_not_part_of_the_timings(
    serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopwatch:
        seconds = 0.0

        def perf_counter(self) -> float:
            return self.seconds

    def look_up(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
        stopwatch.seconds += 1
        return list(resolve(host, port, deadline))

    def context(*arguments: object, **options: object) -> ssl.SSLContext:
        stopwatch.seconds += 10
        return tls_context(*arguments, **options)  # type: ignore[arg-type]

    server = serve(Peer.request, server_context(trusted.issue_cert("127.0.0.1")))
    stopwatch = Stopwatch()
    monkeypatch.setattr(module, "time", stopwatch)
    monkeypatch.setattr(module, "tls_context", context)
    options = TlsOptions("127.0.0.1", Trust())
    connected = connect("127.0.0.1", server.port, options, Budget.start(10, Deadline.after(10)), look_up)
    connected.socket.close()

    assert connected.began_at == 11
    assert connected.timings == Timings(resolve=1)


def test_a_socket_that_cannot_be_created_is_a_connect_error() -> None:
    def unsupported(*_: object) -> list[Endpoint]:
        return [Endpoint(ip_address("192.0.2.1"), 9_999, ("192.0.2.1", 80))]

    with pytest.raises(ConnectError, match="address family not supported"):
        connect("127.0.0.1", 80, None, Budget.start(10, Deadline.after(10)), unsupported)
