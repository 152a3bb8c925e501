from __future__ import annotations

import ssl
from typing import Any

import pytest
import trustme

from ecs_hooks.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits, Response
from ecs_hooks.http.errors import (
    CertificateError,
    TransportError,
)
from tests.http.certificates import context_named
from tests.http.fixtures import Serve, server_context
from tests.http.servers import replying

ONCE = Limits(connect_retries=0, timeout_seconds=0.5)


def get(url: str, limits: Limits = ONCE, **options: Any) -> Response:
    return HttpClient(url, Deadline.after(20), limits).get("/", **options)


def test_a_valid_certificate(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"x" * 100_000), server_context(trusted.issue_cert("127.0.0.1")))
    assert len(get(server.url).content) == 100_000


def test_the_certificate_may_be_for_the_host_header(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert("shop.example")))
    assert get(server.url, headers={"Host": "shop.example"}).text == "ok"


@pytest.mark.parametrize("name", ["self-signed", "other host", "expired", "future"])
def test_a_bad_certificate_is_an_answer_and_no_trouble(serve: Serve, trusted: trustme.CA, name: str) -> None:
    server = serve(replying(b"ok"), context_named(name, trusted))
    with pytest.raises(CertificateError, match=r"certificate is not valid for 127\.0\.0\.1: "):
        get(server.url, Limits(connect_retries=3))
    assert server.connections == 1
    assert get(server.url, ONCE._replace(verify_tls=False)).text == "ok"


@pytest.mark.parametrize("host", [".example", "a" * 64 + ".example"])
def test_a_host_header_that_no_certificate_can_bear(serve: Serve, trusted: trustme.CA, host: str) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert("127.0.0.1")))
    with pytest.raises(CertificateError, match="no certificate can be valid for"):
        get(server.url, headers={"Host": host})


def test_a_server_that_wants_a_client_certificate(serve: Serve, trusted: trustme.CA) -> None:
    context = server_context(trusted.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    # The refusal comes after the handshake (TLS 1.3); the end of the connection may overtake it.
    with pytest.raises(TransportError, match=r"TLS refused: .*certificate required|ended before a response"):
        get(serve(replying(b"ok"), context).url)
