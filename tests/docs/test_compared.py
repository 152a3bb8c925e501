from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from ecs_hooks.assertions.query import Assertion
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.request import Request
from ecs_hooks.http.response import Response
from ecs_hooks.http.retry import send
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from tests.checks.asking import context
from tests.http.fixtures import Serve, _loopback_allowed, authority, serve, server_context
from tests.http.servers import Peer, Server

__all__ = ["_loopback_allowed", "authority", "serve"]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "compared.md").read_text()
RESPONSES = [each.encode() for each in re.findall(r"```http\n(.*?)```", DOCUMENT, re.DOTALL)]
_VERDICT = re.compile(r"(same|different|not there)\b")


class Row(NamedTuple):
    section: str
    name: str
    verdict: str
    example: Any


def _rows() -> list[Row]:
    rows = []
    for section in re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        for line in text.splitlines():
            if not line.startswith("| ") or line.startswith(("| Hurl |", "| Gatus |", "| blackbox_exporter |")):
                continue
            found = re.fullmatch(r"\| (.+?) \| (\w.*?) \| (?:(.*) )?\|", line)
            assert found, line
            verdict = _VERDICT.match(found[2])
            assert verdict, line
            example = found[3] or ""
            rows.append(
                Row(title, found[1], verdict[1], json.loads(example[1:-1]) if example.startswith("`{") else None)
            )
    return rows


ROWS = _rows()
ASSERTIONS = [row for row in ROWS if row.example and isinstance(row.example.get("query"), str)]
CHECKS = [row for row in ROWS if row.example and row not in ASSERTIONS]


def _raw(text: bytes) -> bytes:
    head, _, body = text.partition(b"\n\n")
    lines = [*head.split(b"\n"), b"Content-Length: %d" % len(body), b"", b""]
    return b"\r\n".join(lines) + body


def _answer(peer: Peer) -> None:
    request = peer.request()
    path = request.split(b" ")[1] if request else b""
    if path == b"/moved":
        peer.answer(b"", "Location: /next", status="302 Found")
    elif path == b"/token":
        peer.answer(b'{"access_token": "t0k3n", "token_type": "Bearer"}', "Content-Type: application/json")
    elif path in {b"/json", b"/page"}:
        peer.send(_raw(RESPONSES[path == b"/page"]))
    else:
        peer.answer(request, "X-Served: a")


@pytest.fixture
def tls(serve: Serve, authority: trustme.CA) -> Server:
    return serve(_answer, server_context(authority.issue_cert("127.0.0.1", "localhost", "shop.example")))


def test_each_row_is_there_or_has_a_reason() -> None:
    assert len(ROWS) > 170
    for row in ROWS:
        assert (row.example is None) == (row.verdict == "not there" or "CONTEXT" in row.name), row


def _response(server: Server, query: str, authority: trustme.CA) -> Response:
    path = {"xpath": "/page", "css": "/page", "location": "/moved", "url": "/moved", "redirect": "/moved"}.get(
        query, "/json"
    )
    limits = Limits(ca_certificates=authority.cert_pem.bytes().decode(), follow_redirects=query == "redirect")
    return send(Request.build("GET", Url.parse(f"{server.url}{path}")), limits, Deadline.after(20))


@pytest.mark.parametrize("row", ASSERTIONS, ids=lambda row: f"{row.section}: {row.name}")
def test_each_assertion_holds_and_its_negation_does_not(row: Row, tls: Server, authority: trustme.CA) -> None:
    response = _response(tls, row.example["query"], authority)
    conditions = {name: value for name, value in row.example.items() if name not in _OF_QUERY}
    query = {name: value for name, value in row.example.items() if name in _OF_QUERY}
    negated = {"exists": not conditions["exists"]} if "exists" in conditions else {"not": conditions}
    assert Assertion.model_validate(row.example).problem_in(response, Redactor()) is None
    assert Assertion.model_validate({**query, **negated}).problem_in(response, Redactor()) is not None


_OF_QUERY = {"query", "name", "attribute", "path", "pattern", "selector", "index", "part", "field", "phase", "filters"}


def _filled(example: Any, server: Server, pem: str, certificate: trustme.LeafCert) -> Any:
    """Return an example with the addresses and certificates of the test."""
    chain = certificate.cert_chain_pems[0].bytes().decode()
    key = certificate.private_key_pem.bytes().decode()
    text = json.dumps(example).replace("TOKEN_URL", f"{server.url}/token")
    text = text.replace('"ca_certificates": "PEM"', f'"ca_certificates": {json.dumps(pem)}')
    text = text.replace('"certificate": "PEM"', f'"certificate": {json.dumps(chain)}')
    return json.loads(text.replace('"private_key": "KEY"', f'"private_key": {json.dumps(key)}'))


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: f"{row.section}: {row.name}")
def test_each_check_passes(
    row: Row, serve: Serve, tls: Server, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    uses_tls = {"verify_tls", "ca_certificates", "min_tls_version", "tls"} & row.example.keys()
    server = tls if uses_tls else serve(_answer)
    pem = authority.cert_pem.bytes().decode()
    example = _filled(row.example, server, pem, authority.issue_cert("client.example"))
    plan = Plan.parse({"checks": [{"type": "http", **example}]})
    outcome = plan.checks[0].run(context(server.url, seconds=890))
    assert outcome.status is Status.PASS, outcome.reason


def test_options_of_tls_are_needed(tls: Server) -> None:
    plan = Plan.parse({"checks": [{"type": "http", "connect_retries": 0}]})
    assert plan.checks[0].run(context(tls.url)).status is not Status.PASS
