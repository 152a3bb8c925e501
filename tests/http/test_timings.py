from __future__ import annotations

import time

import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.timings import Timings
from tests.http.fixtures import Serve, server_context
from tests.http.servers import replying


def test_the_parts_of_a_request_are_timed(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"x" * 1000), server_context(trusted.issue_cert("127.0.0.1")))

    began = time.perf_counter()
    response = HttpClient(server.url, Deadline.after(20)).get("/")
    took = time.perf_counter() - began

    assert response.tls is not None
    assert response.tls.version.startswith("TLSv1.")
    certificate = response.tls.certificate
    assert certificate is not None
    assert certificate.alternative_names == ("127.0.0.1",)
    assert "trustme" in certificate.issuer
    assert certificate.not_before < time.time() < certificate.not_after
    assert certificate.expires_in_days > 1
    assert all(part > 0 for part in (response.timings.connect, response.timings.tls, response.timings.first_byte))
    assert response.timings.total <= took


def test_without_tls_and_without_verification(serve: Serve, trusted: trustme.CA) -> None:
    plain = serve(replying(b"ok"))
    response = HttpClient(plain.url, Deadline.after(20)).get("/")
    assert (response.tls, response.timings.tls) == (None, 0)

    server = serve(replying(b"ok"), server_context(trusted.issue_cert("other.example")))
    unexamined = HttpClient(server.url, Deadline.after(20), Limits(verify_tls=False)).get("/").tls
    assert unexamined is not None
    assert unexamined.certificate is None


def test_timings_add_up() -> None:
    assert Timings(1, 2, 3, 4, 5).plus(Timings(10, 20, 30, 40, 50)) == Timings(11, 22, 33, 44, 55)
    assert Timings(1, 2, 3, 4, 5).total == 15
