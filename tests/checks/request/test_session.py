from __future__ import annotations

from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from ecs_hooks.checks import Check, check_class
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Server
from tests.support.aws import AwsApi

pytestmark = pytest.mark.usefixtures("fast_function")

PRIVATE = trustme.CA()
PEM = PRIVATE.cert_pem.bytes().decode()
REFERENCE = {"ssm": "/shop/authority"}


def lasting(peer: Peer) -> None:
    while peer.request():
        peer.answer(b"ok")


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server whose certificate only an authority of its own vouches for."""
    return serve(lasting, server_context(PRIVATE.issue_cert("127.0.0.1")))


def made(kind: str, **fields: Any) -> Check:
    once = {"connect_retries": 0}
    whole: dict[str, dict[str, Any]] = {
        "http": {**once, **fields},
        "http, samples": {**once, "samples": {"count": 2}, **fields},
        "load": {"duration_seconds": 1, "timeout_seconds": 5, "requests_per_second": 5, **fields},
        "scenario": {"budget_seconds": 10, "requests": [{**once, **fields}]},
    }
    return check_class(kind.partition(",")[0]).model_validate(whole[kind])


def run(kind: str, server: Server, **fields: Any) -> Outcome:
    return made(kind, **fields).run(context(server.url))


KINDS = ["http", "http, samples", "load", "scenario"]


@pytest.mark.parametrize("kind", KINDS)
def test_ca_certificates_may_be_in_the_plan_or_a_reference(aws: AwsApi, server: Server, kind: str) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": PEM}})

    assert run(kind, server).status is not Status.PASS
    assert run(kind, server, ca_certificates=PEM).status is Status.PASS
    assert run(kind, server, ca_certificates=REFERENCE).status is Status.PASS
    assert [each.name for each in made(kind, ca_certificates=REFERENCE).requirements().secrets] == ["/shop/authority"]
    assert not made(kind, ca_certificates=PEM).requirements().secrets


def test_a_reference_to_an_invalid_certificate_is_a_failure(aws: AwsApi, server: Server) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": "hunter2"}})
    outcome = run("http", server, ca_certificates=REFERENCE)

    assert outcome.status is Status.FAIL
    assert "ca_certificates must be PEM of certificates" in outcome.reason
    assert "hunter2" not in outcome.reason


@pytest.mark.parametrize("kind", ["http", "load", "compare"])
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"ca_certificates": "x"}, "ca_certificates\n.*must be PEM of certificates, each from -----BEGIN CERTIFICATE"),
        ({"ca_certificates": PRIVATE.private_key_pem.bytes().decode()}, "must be PEM of certificates"),
        ({"ca_certificates": ""}, "must be PEM of certificates"),
        ({"ca_certificates": 5}, "must be a string, or a reference such as"),
        ({"ca_certificates": PEM, "verify_tls": False}, "has no effect while verify_tls is false; remove one of them"),
        ({"min_tls_version": "1.1"}, "Input should be '1.2' or '1.3'"),
    ],
)
def test_invalid_fields_are_refused(kind: str, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as caught:
        check_class(kind).model_validate(fields)
    assert "PRIVATE KEY" not in "".join(each["msg"] for each in caught.value.errors())


def test_ca_certificates_of_compare_are_required() -> None:
    check = check_class("compare").model_validate({"ca_certificates": REFERENCE})
    assert [each.name for each in check.requirements().secrets] == ["/shop/authority"]
