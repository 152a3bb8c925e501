from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.authorization import Authorization
from ecs_hooks.http.budget import Budget
from ecs_hooks.http.client_certificate import ClientCertificate
from ecs_hooks.http.errors import RequestError, TransportError
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.response import Response
from ecs_hooks.http.sending import Limits, attempt, send
from ecs_hooks.http.tls import Trust, tls_context
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Server

LIMITS = Limits(connect_retries=0)


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


def ask(url: str, certificate: ClientCertificate | None, **limits: Any) -> Response:
    return send(request(url, certificate), LIMITS._replace(**limits), Deadline.after(20))


def test_the_server_sees_who_asks(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)

    assert b"smoke.example" in ask(server.url, client(trusted)).content
    assert b"other.example" in ask(server.url, client(trusted, "other.example")).content
    with pytest.raises(TransportError):
        ask(server.url, None)
    with pytest.raises(TransportError):
        ask(server.url, client(trustme.CA()))


def test_a_connection_is_used_again_by_the_same_client_alone(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)
    pool = Pool()
    one, two = client(trusted, "one.example"), client(trusted, "two.example")
    budget = Budget.start(20, Deadline.after(20))
    answers = [attempt(request(server.url, each), LIMITS, budget, pool.ask).content for each in (one, two, one, two)]
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
    assert ask(server.url, client(trusted), follow_redirects=True).content == b"there"
    assert seen == [None]


def test_settings_are_made_once_for_a_client(trusted: trustme.CA) -> None:
    one, two = client(trusted), client(trusted)

    assert tls_context(Trust(), one) is tls_context(Trust(), one)
    assert len({id(tls_context(Trust(), each)) for each in (None, one, two)}) == 3


def encrypted(key: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    how = serialization.BestAvailableEncryption(b"passphrase")
    return loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def test_what_can_not_be_used_is_refused_before_anybody_is_asked(serve: Serve, trusted: trustme.CA) -> None:
    server = wanting(trusted, serve)
    certificate, key = client(trusted)
    other = client(trusted).private_key
    cases = {
        (certificate, other): "key values mismatch",
        (certificate, encrypted(key)): "its key is encrypted, and has to be kept without a passphrase",
        (certificate, "hunter2"): "not valid pem",
        ("hunter2", key): "not valid pem",
    }
    for (its, private), says in cases.items():
        with pytest.raises(RequestError, match=f"the client certificate can't be used: {says}") as caught:
            ask(server.url, ClientCertificate(its, private))
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


def test_where_there_are_no_files_in_memory_nobody_else_can_read_it(
    authority: trustme.CA, files: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr("os.memfd_create")
    client(authority).load_into(ssl.create_default_context())
    with pytest.raises(RequestError):
        ClientCertificate("hunter2", "hunter2").load_into(ssl.create_default_context())

    assert [(Path(path).parent, mode) for path, mode in files] == [(tmp_path, 0o600)] * 4
