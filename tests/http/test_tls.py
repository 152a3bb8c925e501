from __future__ import annotations

import ssl
from typing import Any

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.http import HttpClient, Limits, Response
from ecs_hooks.http.errors import (
    CertificateError,
    RequestError,
    TlsVersionError,
    TransportError,
)
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.sending import send
from ecs_hooks.http.tls import Trust, tls_context
from ecs_hooks.http.url import Url
from tests.http.certificates import context_named
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, replying

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


def own(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def test_an_authority_of_ones_own_counts_besides_those_of_the_system(serve: Serve, trusted: trustme.CA) -> None:
    private = trustme.CA()
    server = serve(replying(b"ok"), server_context(private.issue_cert("127.0.0.1")))
    with pytest.raises(CertificateError):
        get(server.url)

    limits = ONCE._replace(ca_certificates=own(private))
    assert get(server.url, limits).text == "ok"
    assert get(serve(replying(b"ok"), server_context(trusted.issue_cert("127.0.0.1"))).url, limits).text == "ok"
    wrong = serve(replying(b"ok"), server_context(private.issue_cert("other.example")))
    with pytest.raises(CertificateError, match="IP address mismatch"):
        get(wrong.url, limits)
    with pytest.raises(CertificateError):
        get(server.url, ONCE._replace(ca_certificates=own(trustme.CA())))


@pytest.mark.parametrize("pem", ["hunter2", "ü", "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_of_an_authority_is_refused_before_anybody_is_asked(serve: Serve, pem: str) -> None:
    server = serve(replying(b"ok"), server_context(trustme.CA().issue_cert("127.0.0.1")))
    with pytest.raises(RequestError, match=r"^GET .* ca_certificates must be PEM of certificates") as caught:
        get(server.url, ONCE._replace(ca_certificates=pem))
    assert "hunter2" not in str(caught.value)
    assert server.connections == 0


def speaking(authority: trustme.CA, oldest: ssl.TLSVersion, newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.minimum_version, context.maximum_version = oldest, newest
    return context


def test_the_oldest_version_that_may_be_spoken(serve: Serve, trusted: trustme.CA) -> None:
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    old, new = (serve(replying(b"ok"), speaking(trusted, v12, newest)) for newest in (v12, v13))
    versions = [
        answer.tls.version
        for answer in (get(old.url), get(new.url), get(new.url, ONCE._replace(min_tls_version="1.3")))
        if answer.tls is not None
    ]

    assert versions == ["TLSv1.2", "TLSv1.3", "TLSv1.3"]
    with pytest.raises(TlsVersionError, match=r"no version of TLS that it may \(min_tls_version\)") as caught:
        get(old.url, Limits(min_tls_version="1.3"))
    assert caught.value.outcome.status is Status.FAIL
    assert old.connections == 2  # it is an answer, so nobody asks again


@pytest.mark.parametrize("hello", [b"\x15\x03\x03\x00\x02\x02\x46", b"\x16\x03\x01\x00\x00"])
def test_a_server_that_speaks_too_old_a_version(serve: Serve, hello: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(10_000)
        peer.send(hello)
        peer.hang()

    # An alert of another kind, or a handshake that is none, is trouble of the transport still.
    kind = TlsVersionError if hello[0] == 0x15 else TransportError
    with pytest.raises(kind):
        get(serve(script).url.replace("http:", "https:"))


def test_http_1_1_is_what_is_spoken(serve: Serve, trusted: trustme.CA) -> None:
    spoken: list[str | None] = []

    def script(peer: Peer) -> None:
        peer.request()
        assert isinstance(peer.connection, ssl.SSLSocket)
        spoken.append(peer.connection.selected_alpn_protocol())
        peer.answer(b"ok")

    context = server_context(trusted.issue_cert("127.0.0.1"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert get(serve(script, context).url).text == "ok"
    assert spoken == ["http/1.1"]


def test_a_name_that_is_complete_has_a_dot_that_no_certificate_has(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert("shop.example")))
    assert get(server.url, headers={"Host": "shop.example."}).text == "ok"


def test_settings_are_made_once_for_what_is_trusted(trusted: trustme.CA) -> None:
    several = [Trust(), Trust(verify=False), Trust(ca_certificates=own(trusted)), Trust(min_version="1.3")]

    assert len({id(tls_context(each)) for each in several}) == 4
    assert [tls_context(each) for each in several] == [tls_context(each) for each in several]


def test_a_connection_is_used_again_by_those_alone_who_trust_the_same(serve: Serve, trusted: trustme.CA) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"ok")

    server = serve(script, server_context(trusted.issue_cert("127.0.0.1")))
    pool = Pool()
    asked = Request.build("GET", Url.parse(server.url))
    kinds = [ONCE, ONCE._replace(min_tls_version="1.3"), ONCE._replace(ca_certificates=own(trustme.CA()))]
    for limits in [*kinds, *kinds]:
        assert send(asked, limits._replace(timeout_seconds=10), Deadline.after(20), pool.ask).text == "ok"
    pool.close()
    assert pool.opened == 3
