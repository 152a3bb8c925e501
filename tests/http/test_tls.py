from __future__ import annotations

import os
import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.http import HttpClient, Limits, Response
from ecs_hooks.http.errors import (
    CertificateError,
    RequestError,
    TlsVersionError,
    TransportError,
)
from ecs_hooks.http.limits import Budget, Trust
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Authorization, Request
from ecs_hooks.http.retry import attempt, send
from ecs_hooks.http.tls import ClientCertificate, tls_context
from ecs_hooks.http.url import Url
from tests.http.certificates import context_named
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Server, replying

ONCE = Limits(connect_retries=0, timeout_seconds=0.5)
PATIENT = Limits(connect_retries=0)


def get(url: str, limits: Limits = ONCE, **options: Any) -> Response:
    return HttpClient(url, Deadline.after(20), limits).get("/", **options)


def test_a_valid_certificate(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"x" * 100_000), server_context(trusted.issue_cert("127.0.0.1")))
    assert len(get(server.url).content) == 100_000


def test_the_certificate_may_be_for_the_host_header(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert("shop.example")))
    assert get(server.url, headers={"Host": "shop.example"}).text == "ok"


@pytest.mark.parametrize("name", ["self-signed", "other host", "expired", "future"])
def test_a_bad_certificate_is_not_a_transport_error(serve: Serve, trusted: trustme.CA, name: str) -> None:
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


WILDCARD = "*.shop.example"


@pytest.mark.parametrize(
    ("names", "host", "valid"),
    [
        (["shop.example"], "SHOP.example.", True),
        (["shop.example"], "shop.example:8443", True),
        ([WILDCARD], "a.shop.example", True),
        ([WILDCARD], "shop.example", False),
        ([WILDCARD], "a.b.shop.example", False),
        ([WILDCARD], ".shop.example", False),
        (["*.example"], "shop.example", False),
        ([WILDCARD], "my_a.shop.example", True),
        ([WILDCARD], "MY_A.Shop.example.", True),
        (["other.example", WILDCARD], "my_a.shop.example", True),
        ([WILDCARD], "my_a.b.shop.example", False),
        (["*.my.example"], "my_a.shop.example", False),
        (["*.example"], "my_a.example", False),
        (["127.0.0.1"], "my_a.shop.example", False),
        (["127.0.0.1", "x@shop.example"], "my_a.shop.example", False),
        (["b\xfccher.example"], "b\xfccher.example", True),
        (["b\xfccher.example"], "B\xdcCHER.example", True),
        (["b\xfccher.example"], "xn--bcher-kva.example", True),
        (["*.b\xfccher.example"], "\xfc.b\xfccher.example", True),
        (["bucher.example"], "b\xfccher.example", False),
        (["127.0.0.1"], "127.0.0.1:8443", True),
        (["127.0.0.1"], "127.0.0.2", False),
        (["::1"], "[::1]:8443", True),
        (["::1"], "[0:0::1]", True),
        (["::1"], "[::2]", False),
        (["*.0.0.1", "a.example"], "127.0.0.1", False),
    ],
)
def test_names_of_a_certificate(serve: Serve, trusted: trustme.CA, names: list[str], host: str, *, valid: bool) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert(*names)))
    if valid:
        assert get(server.url, PATIENT, headers={"Host": host}).text == "ok"
    else:
        with pytest.raises(CertificateError, match=r"certificate (is not|can be) valid for"):
            get(server.url, PATIENT, headers={"Host": host})
    assert get(server.url, PATIENT._replace(verify_tls=False), headers={"Host": "a_b.other.example"}).text == "ok"


@pytest.mark.parametrize(("name", "alternative"), [("shop.example", "a@b.example"), ("127.0.0.1", "a@b.example")])
def test_the_common_name_of_a_certificate_does_not_count(
    serve: Serve, trusted: trustme.CA, name: str, alternative: str
) -> None:
    server = serve(replying(b"ok"), server_context(trusted.issue_cert(alternative, common_name=name)))
    with pytest.raises(CertificateError, match=f"certificate is not valid for {re.escape(name)}"):
        get(server.url, PATIENT, headers={"Host": name})


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
def test_invalid_authorities_are_refused_before_connecting(serve: Serve, pem: str) -> None:
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
    with pytest.raises(
        TlsVersionError, match=r"server does not support the required TLS version \(min_tls_version\)"
    ) as caught:
        get(old.url, Limits(min_tls_version="1.3"))
    assert caught.value.outcome.status is Status.FAIL
    assert old.connections == 2  # this is not retried


@pytest.mark.parametrize("hello", [b"\x15\x03\x03\x00\x02\x02\x46", b"\x16\x03\x01\x00\x00"])
def test_a_server_that_speaks_too_old_a_version(serve: Serve, hello: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(10_000)
        peer.send(hello)
        peer.hang()

    # An alert of another kind, or an invalid handshake, is a transport error.
    kind, limits = (TlsVersionError, PATIENT) if hello[0] == 0x15 else (TransportError, ONCE)
    with pytest.raises(kind):
        get(serve(script).url.replace("http:", "https:"), limits)


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
    to_send = Request.build("GET", Url.parse(server.url))
    kinds = [ONCE, ONCE._replace(min_tls_version="1.3"), ONCE._replace(ca_certificates=own(trustme.CA()))]
    for limits in [*kinds, *kinds]:
        assert send(to_send, limits._replace(timeout_seconds=10), Deadline.after(20), pool.exchange).text == "ok"
    pool.close()
    assert pool.opened == 3


def client(authority: trustme.CA, name: str = "smoke.example") -> ClientCertificate:
    made = authority.issue_cert(name)
    chain = "".join(each.bytes().decode() for each in made.cert_chain_pems)
    return ClientCertificate(chain, made.private_key_pem.bytes().decode())


def wanting(authority: trustme.CA, serve: Serve, script: Any = None) -> Server:
    """A server that wants a certificate of this authority, and answers with whom it names."""

    def answer(peer: Peer) -> None:
        assert isinstance(peer.connection, ssl.SSLSocket)
        named = peer.connection.getpeercert() or {}
        while peer.request():
            peer.answer(str(named.get("subjectAltName")).encode())

    context = server_context(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    return serve(script or answer, context)


def request(url: str, certificate: ClientCertificate | None) -> Request:
    auth = None if certificate is None else Authorization(certificate=certificate)
    return Request.build("GET", Url.parse(url))._replace(auth=auth)


def fetch(url: str, certificate: ClientCertificate | None, **limits: Any) -> Response:
    return send(request(url, certificate), PATIENT._replace(**limits), Deadline.after(20))


def test_the_server_receives_the_client_certificate(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)

    assert b"smoke.example" in fetch(server.url, client(trusted)).content
    assert b"other.example" in fetch(server.url, client(trusted, "other.example")).content
    with pytest.raises(TransportError):
        fetch(server.url, None)
    with pytest.raises(TransportError):
        fetch(server.url, client(trustme.CA()))


def test_a_connection_is_used_again_by_the_same_client_alone(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)
    pool = Pool()
    one, two = client(trusted, "one.example"), client(trusted, "two.example")
    budget = Budget.start(20, Deadline.after(20))
    answers = [
        attempt(request(server.url, each), PATIENT, budget, pool.exchange).content for each in (one, two, one, two)
    ]
    pool.close()

    assert [b"one.example" in each for each in answers] == [True, False, True, False]
    assert pool.opened == 2


def test_another_origin_does_not_get_to_see_it(serve: Serve, trusted: trustme.CA) -> None:
    seen: list[Any] = []
    optional = server_context(trusted.issue_cert("127.0.0.1"))
    optional.verify_mode = ssl.CERT_OPTIONAL
    trusted.configure_trust(optional)

    def elsewhere(peer: Peer) -> None:
        assert isinstance(peer.connection, ssl.SSLSocket)
        seen.append(peer.connection.getpeercert())
        peer.request()
        peer.answer(b"there")

    other = serve(elsewhere, optional)

    def leave(peer: Peer) -> None:
        peer.request()
        peer.answer(b"", f"Location: {other.url}", status="302 Found")

    server = wanting(trusted, serve, leave)
    assert fetch(server.url, client(trusted), follow_redirects=True).content == b"there"
    assert seen == [None]


def test_settings_are_made_once_for_a_client(trusted: trustme.CA) -> None:
    one, two = client(trusted), client(trusted)

    assert tls_context(Trust(), one) is tls_context(Trust(), one)
    assert len({id(tls_context(Trust(), each)) for each in (None, one, two)}) == 3


def encrypted(key: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    how = serialization.BestAvailableEncryption(b"passphrase")
    return loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def test_an_invalid_client_certificate_is_refused_before_connecting(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)
    certificate, key = client(trusted)
    other = client(trusted).private_key
    cases = {
        (certificate, other): "key values mismatch",
        (certificate, encrypted(key)): "its key is encrypted; store it without a passphrase",
        (certificate, "hunter2"): "not valid pem",
        ("hunter2", key): "not valid pem",
    }
    for (its, private), says in cases.items():
        with pytest.raises(RequestError, match=f"the client certificate can't be used: {says}") as caught:
            fetch(server.url, ClientCertificate(its, private))
        assert "hunter2" not in str(caught.value)
    assert server.connections == 0
    assert repr(client(trusted)) == "ClientCertificate(***)"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[tuple[str, int]]]:
    """Return the files that certificates were loaded from, with their modes; none is left."""
    seen: list[tuple[str, int]] = []
    before = len(list(Path("/proc/self/fd").iterdir()))
    load = ssl.SSLContext.load_cert_chain

    def look(context: ssl.SSLContext, certificate: str, key: str, **options: Any) -> None:
        seen.extend((os.path.realpath(each), stat.S_IMODE(Path(each).stat().st_mode)) for each in (certificate, key))
        load(context, certificate, key, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield seen
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_key_is_never_on_a_disk(authority: trustme.CA, files: list[tuple[str, int]]) -> None:
    client(authority).load_into(ssl.create_default_context())
    with pytest.raises(RequestError):
        ClientCertificate("hunter2", "hunter2").load_into(ssl.create_default_context())

    assert [path.startswith("/memfd:") for path, _ in files] == [True] * 4


def test_without_files_in_memory_only_the_owner_can_read_it(
    authority: trustme.CA, files: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("os.memfd_create")
    client(authority).load_into(ssl.create_default_context())
    with pytest.raises(RequestError):
        ClientCertificate("hunter2", "hunter2").load_into(ssl.create_default_context())

    assert [(Path(path).parent, mode) for path, mode in files] == [(tmp_path, 0o600)] * 4
