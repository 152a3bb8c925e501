from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from ecs_hooks.checks import TcpCheck
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.tcp_probe import MAX_BYTES
from tests.checks.asking import context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Server
from tests.support.aws import AwsApi

PONG: dict[str, Any] = {"expect": {"body": {"contains": "PONG"}}}


def run(green: str | Endpoint, *, seconds: float = 20, **fields: Any) -> Outcome:
    return TcpCheck.model_validate({"connect_retries": 0, **fields}).run(context(green, seconds=seconds))


def at(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def pong(peer: Peer) -> None:
    """A server of a line protocol."""
    while line := peer.connection.recv(100):
        peer.send(b"+PONG\r\n" if line == b"PING\r\n" else b"-ERR hunter2\r\n")


def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_connection_is_a_pass(serve: Serve) -> None:
    server = serve(pong)
    outcome = run(at(server), expect={"max_connect_ms": 9000})

    assert outcome.status is Status.PASS
    assert outcome.reason.startswith(f"TCP 127.0.0.1:{server.port} connected in ")
    assert outcome.evidence["connect_ms"] is not None
    assert {**outcome.evidence, "connect_ms": 0} == {
        "connect_ms": 0,
        "connect_ms_limit": 9000,
        "body_bytes": 0,
        "attempts": 1,
    }


def test_an_expected_response_is_a_pass(serve: Serve) -> None:
    server = serve(pong)
    outcome = run(at(server), send="PING\r\n", **PONG)

    assert outcome.status is Status.PASS
    assert " ms, answered 7 bytes in " in outcome.reason
    assert outcome.evidence["body_bytes"] == 7
    assert run(at(server), send="PING\r\n", expect={"body": {"matches": r"^\+PONG\s"}}).status is Status.PASS


def test_a_response_may_come_in_pieces_and_the_check_does_not_wait_for_more(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        for piece in (b"220 mail.exam", b"ple ES", b"MTP ready\r\n"):
            peer.send(piece)
            peer.stop.wait(0.05)
        peer.hang()

    assert run(at(serve(script)), expect={"body": {"contains": "220 ", "matches": "ESMTP"}}).status is Status.PASS


def test_a_wrong_response_fails_and_is_not_shown(serve: Serve) -> None:
    server = serve(pong)
    outcome = run(at(server), send="secret-of-mine\r\n", timeout_seconds=0.5, **PONG)

    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        f'TCP 127.0.0.1:{server.port} response is 14 bytes, nothing more within 0.5 s; expected to contain "PONG"'
    )
    assert server.connections == 1
    unmatched = run(at(server), send="x", timeout_seconds=0.5, expect={"body": {"matches": "^PONG"}})
    assert unmatched.reason.endswith('expected to match "^PONG"')


def test_a_response_that_ends_or_never_ends_is_a_failure(serve: Serve) -> None:
    def brief(peer: Peer) -> None:
        peer.send(b"-ERR\r\n")

    def endless(peer: Peer) -> None:
        while not peer.stop.is_set():
            peer.send(b"x" * 60_000)

    over = run(at(serve(brief)), **PONG)
    assert (over.status, over.reason.partition(" response ")[2]) == (
        Status.FAIL,
        'is 6 bytes, then the connection ended; expected to contain "PONG"',
    )
    more = run(at(serve(endless)), **PONG)
    assert (more.status, more.evidence["body_bytes"]) == (Status.FAIL, MAX_BYTES)
    assert f"response is {MAX_BYTES} bytes, and more came; expected" in more.reason


def test_no_expression_takes_too_long(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.send(b"a" * 5000 + b"!")

    outcome = run(at(serve(script)), expect={"body": {"matches": "(.*a){25}$"}})
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith('; expected to match "(.*a){25}$"')


def test_without_a_connection_it_is_an_error_after_all_attempts() -> None:
    port = closed()
    outcome = run(f"http://127.0.0.1:{port}", connect_retries=1)

    assert outcome.status is Status.ERROR
    assert outcome.reason == (f"TCP 127.0.0.1:{port} connection refused (127.0.0.1 port {port}) (after 2 attempts)")
    advised = run(Endpoint(f"http://127.0.0.1:{port}", advice="open the port"))
    assert advised.reason.endswith("; open the port")


def test_a_connection_that_ends_before_a_response_is_retried(serve: Serve) -> None:
    seen: list[int] = []

    def script(peer: Peer) -> None:
        seen.append(len(seen))
        if len(seen) == 1:
            peer.reset()
        elif len(seen) > 2:
            pong(peer)

    outcome = run(at(serve(script)), send="PING\r\n", connect_retries=3, **PONG)
    assert (outcome.status, outcome.evidence["attempts"]) == (Status.PASS, 3)

    nothing = run(at(serve(lambda _: None)), **PONG)
    assert nothing.status is Status.ERROR
    assert nothing.reason.endswith("connection ended before a response")


def test_a_server_that_never_responds_is_a_failure(serve: Serve) -> None:
    server = serve(lambda peer: peer.hang())
    outcome = run(at(server), send="x" * 60_000, timeout_seconds=0.3, **PONG)

    assert outcome.status is Status.FAIL
    assert "response is 0 bytes, nothing more within 0.3 s" in outcome.reason
    waiting = run(at(server), seconds=0.5, **PONG)
    assert waiting.status is Status.WAIT


def test_a_slow_connection_is_a_failure(serve: Serve) -> None:
    outcome = run(at(serve(pong)), expect={"max_connect_ms": 0.0001})

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith(" ms, expected at most 0.0001 ms")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_another_port_of_green_or_another_address(serve: Serve, host: str) -> None:
    server = serve(pong, None, host)
    named = f"[{host}]" if ":" in host else host

    assert run(f"http://{named}:{closed()}", port=server.port).status is Status.PASS
    outcome = TcpCheck(address=f"{named}:{server.port}").run(context(None))
    assert outcome.status is Status.PASS
    assert outcome.reason.startswith(f"TCP {named}:{server.port} connected")


def test_a_forbidden_address_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    server = serve(pong)
    outcome = run(at(server))

    assert outcome.status is Status.FAIL
    assert "refused: 127.0.0.1 is a loopback address" in outcome.reason
    assert server.connections == 0
    assert run("gopher:nothing").status is Status.FAIL


def test_the_certificate_must_be_valid_for_the_host(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(pong, server_context(trusted.issue_cert("cache.example")))
    ping: dict[str, Any] = {"tls": True, "send": "PING\r\n", **PONG}

    assert run(Endpoint(at(server), host="cache.example"), **ping).status is Status.PASS
    assert run(Endpoint(at(server), {"Host": "cache.example:443"}), **ping).status is Status.PASS
    assert run(at(server), verify_tls=False, **ping).status is Status.PASS
    wrong = run(at(server), **ping)
    assert wrong.status is Status.FAIL
    assert "certificate is not valid for 127.0.0.1" in wrong.reason
    assert run(Endpoint(at(server), host=".example"), **ping).status is Status.FAIL


def test_ca_certificates_can_be_a_reference(aws: AwsApi, serve: Serve) -> None:
    private = trustme.CA()
    server = serve(pong, server_context(private.issue_cert("127.0.0.1")))
    aws.answer("GetParameter", {"Parameter": {"Value": private.cert_pem.bytes().decode()}})
    check = TcpCheck.model_validate({"tls": True, "ca_certificates": {"ssm": "/ca"}, "min_tls_version": "1.3"})

    assert check.run(context(at(server))).status is Status.PASS
    assert [each.name for each in check.requirements().secrets] == ["/ca"]


def test_a_failed_tls_handshake_is_an_error(serve: Serve, trusted: trustme.CA) -> None:
    refused = run(at(serve(pong)), tls=True, timeout_seconds=1)
    assert refused.status is Status.ERROR
    assert "TLS handshake" in refused.reason
    wanting = server_context(trusted.issue_cert("127.0.0.1"))
    wanting.verify_mode = ssl.CERT_REQUIRED
    outcome = run(at(serve(pong, wanting)), tls=True, send="PING\r\n", **PONG)
    assert outcome.status is Status.ERROR
    assert "TLS refused" in outcome.reason or "ended before a response" in outcome.reason


@pytest.mark.parametrize(
    ("protocol", "fields", "says"),
    [
        ("HTTP", {}, "an Application Load Balancer accepts connections itself"),
        ("HTTPS", PONG, "an Application Load Balancer accepts connections itself"),
        ("TLS", {"tls": True}, "set expect.body to green's response"),
        ("TLS", PONG, "set tls to true"),
        ("TCP", {"port": 9}, "port 9 belongs to another listener of the load balancer, which may forward to blue"),
    ],
)
def test_a_connection_that_says_nothing_about_green_is_refused(
    serve: Serve, protocol: str, fields: dict[str, Any], says: str
) -> None:
    server = serve(pong)
    outcome = run(Endpoint(at(server), protocol=protocol), **fields)

    assert outcome.status is Status.FAIL
    assert says in outcome.reason
    assert server.connections == 0


def test_a_network_load_balancer_forwards_connections(serve: Serve, trusted: trustme.CA) -> None:
    plain = serve(pong)
    assert run(Endpoint(at(plain), protocol="TCP")).status is Status.PASS
    assert run(Endpoint(at(plain), protocol="TCP"), port=plain.port).status is Status.PASS
    secured = serve(pong, server_context(trusted.issue_cert("127.0.0.1")))
    there = Endpoint(at(secured), protocol="TLS")
    assert run(there, tls=True, send="PING\r\n", **PONG).status is Status.PASS


def test_requirements_come_from_the_address() -> None:
    green, other = TcpCheck(port=5, listener="production"), TcpCheck(address="cache.internal:6379")

    assert (green.requirements().listener, green.requirements().port, list(green.requirements().urls)) == (
        "production",
        5,
        [],
    )
    assert (other.requirements().listener, other.requirements().port, list(other.requirements().urls)) == (
        None,
        None,
        ["http://cache.internal:6379"],
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"address": "http://a:80"}, "String should match pattern"),
        ({"address": "a"}, "String should match pattern"),
        ({"address": "a:0"}, "must be a host and a port"),
        ({"address": "a:99999"}, "address is not valid"),
        ({"address": "a:1", "port": 2}, "has both address and port; remove one of them"),
        ({"address": "a:1", "listener": "test"}, "has both address and listener; remove one of them"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"verify_tls": False}, "verify_tls: requires TLS; set tls to true"),
        ({"min_tls_version": "1.3", "tls": False}, "min_tls_version: requires TLS"),
        ({"expect": {"body": {}}}, "requires at least one of contains, matches"),
        ({"expect": {"body": {"matches": "("}}}, "is not a valid regular expression"),
        ({"expect": {"status": 200}}, "Extra inputs"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        TcpCheck.model_validate(fields)
