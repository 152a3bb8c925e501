from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.auth import sigv4
from ecs_hooks.auth.sigv4 import Signer
from ecs_hooks.aws import clients
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import HttpCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.request import Request
from ecs_hooks.http.request_body import Body
from ecs_hooks.http.url import Url
from tests.auth.signatures import KEYS, SESSION_TOKEN, problem
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Server

REGION = "us-west-2"


@pytest.fixture(autouse=True)
def _role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "AWS_SESSION_TOKEN": SESSION_TOKEN}.items():
        monkeypatch.setenv(name, value)
    clients._session.cache_clear()


@pytest.fixture(autouse=True, scope="module")
def _forget() -> Any:
    yield
    clients._session.cache_clear()


class Api:
    """Returns 200 to a request with a valid signature, and records all requests."""

    def __init__(self, serve: Serve, service: str, *, region: str = REGION, **options: bool) -> None:
        self.requests: list[bytes] = []
        self.problems: list[str] = []
        self._check = (service, region, options)
        self.server: Server = serve(self._play)

    def _play(self, peer: Peer) -> None:
        request = peer.request()
        service, region, options = self._check
        self.requests.append(request)
        self.problems.append(problem(request, service, region, **options))
        target = request.split(b" ")[1]
        if target.startswith(b"/moved"):
            peer.answer(b"", "Location: /here?x=1", status="302 Found")
        else:
            peer.answer(b"ok", status="403 Forbidden" if self.problems[-1] else "200 OK")


def send(api: Api, service: str = "execute-api", **fields: Any) -> Outcome:
    auth = {"sigv4": {"service": service, **({"region": fields.pop("region")} if "region" in fields else {})}}
    check = HttpCheck.model_validate({"type": "http", "auth": auth, "connect_retries": 0, **fields})
    outcome = check.run(context(api.server.url))
    assert not api.problems[-1] or outcome.status is Status.FAIL
    return outcome


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"path": "/prod/orders?b=2&a=1&a=0"},
        {"path": "/a%2Fb/(c)!*'/ä+b;v=1/~x", "query": {"q": "a b+c", "list": ["ü", "/", ""], "empty": ""}},
        {"path": "/x?flag&plus=a+b&quoted=a%20b&raw=(x)"},
        {"method": "POST", "json": {"amount": 3}},
        {"method": "PUT", "body_base64": "AAECAw==", "headers": {"X-Amz-Target": "Shop.Order", "X-Other": "o"}},
        {"headers": {"Host": "api.example.com", "x-amz-meta": "two  spaces"}},
    ],
)
def test_aws_computes_the_same_signature(serve: Serve, fields: dict[str, Any]) -> None:
    api = Api(serve, "execute-api")
    outcome = send(api, **fields)

    assert api.problems == [""]
    assert outcome.status is Status.PASS, outcome


def test_a_signature_is_for_one_service_in_one_region(serve: Serve) -> None:
    assert send(Api(serve, "lambda", region="eu-north-1"), "lambda", region="eu-north-1").status is Status.PASS
    assert send(Api(serve, "lambda"), "execute-api").status is Status.FAIL
    assert send(Api(serve, "lambda"), "lambda", region="eu-north-1").status is Status.FAIL


@pytest.mark.parametrize("path", ["/a%20b", "/a/../b//c", "/ä"])
def test_services_whose_path_is_encoded_once(serve: Serve, path: str) -> None:
    assert send(Api(serve, "s3", once=True), "s3", path=path).status is Status.PASS
    lattice = Api(serve, "vpc-lattice-svcs", once=True, unsigned=True)
    assert send(lattice, "vpc-lattice-svcs", method="POST", body="x", path=path).status is Status.PASS


URLS = st.builds(
    lambda path, query: Url.join("http://a.example", f"/{path}", query),
    st.text(alphabet="aZ0-._~!$&'()*+,;=:@%/ äß", max_size=20).map(lambda text: text.replace("%", "%25")),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


@given(URLS)
def test_the_canonical_url_is_equivalent(url: Url) -> None:
    canonical = sigv4._canonical(url)

    assert sigv4._canonical(canonical) == canonical
    before, after = (each.target.partition("?") for each in (url, canonical))
    assert unquote_to_bytes(after[0]) == unquote_to_bytes(before[0])
    assert parse_qsl(after[2], keep_blank_values=True) == parse_qsl(before[2], keep_blank_values=True)


def test_a_redirect_is_signed_again_within_the_origin_and_unsigned_outside(serve: Serve) -> None:
    api = Api(serve, "execute-api")
    assert send(api, path="/moved", follow_redirects=True).status is Status.PASS
    assert api.problems == ["", ""]

    heads: list[bytes] = []

    def elsewhere(peer: Peer) -> None:
        heads.append(peer.request())
        peer.answer(b"ok")

    other = serve(elsewhere)

    def leave(peer: Peer) -> None:
        heads.append(peer.request())
        peer.answer(b"", f"Location: {other.url}/", status="307 Temporary Redirect")

    check = HttpCheck.model_validate(
        {"auth": {"sigv4": {"service": "execute-api"}}, "follow_redirects": True, "method": "POST", "body": "b"}
    )
    assert check.run(context(serve(leave).url)).status is Status.PASS
    assert [b"Signature=" in head for head in heads] == [True, False]
    assert SESSION_TOKEN.encode() not in heads[1]
    assert b"x-amz" not in heads[1].lower()


def test_a_signature_is_reused_for_a_minute() -> None:
    now = [1000.0]
    redactor = Redactor()
    signer = Signer("execute-api", REGION, clients.credentials, redactor)
    request = Request.build("POST", Url.parse("http://a.example/x"), {}, Body(b"1", "text/plain"))

    with clock.use(lambda: now[0]):
        first = signer.sign(request)
        now[0] += 59
        assert signer.sign(request) is first
        now[0] += 1
        assert signer.sign(request) is not first
        assert signer.sign(request._replace(body=b"2")).headers["Authorization"] != first.headers["Authorization"]
    for secret in (first.headers["Authorization"], SESSION_TOKEN):
        assert secret[-20:] not in redactor.mask(f"a {secret} b")


def test_threads_sign_and_mask_at_once() -> None:
    redactor = Redactor()
    signer = Signer("execute-api", REGION, clients.credentials, redactor)
    leaks: list[str] = []

    def work(number: int) -> None:
        for each in range(20):
            signed = signer.sign(Request.build("GET", Url.parse(f"http://a.example/{number}/{each}")))
            signature = signed.headers["Authorization"].rpartition("=")[2]
            if signature in redactor.mask(f"seen {signature}"):
                leaks.append(signature)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not leaks


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    check = HttpCheck.model_validate({"auth": {"sigv4": {"service": "execute-api"}}})

    with pytest.raises(FactDeniedError, match="no AWS credentials to sign the request with"):
        check.run(context("http://127.0.0.1:9"))


def test_incomplete_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    check = HttpCheck.model_validate({"auth": {"sigv4": {"service": "execute-api"}}})

    with pytest.raises(FactError, match=r"AWS credentials: no AWS credentials .PartialCredentialsError."):
        check.run(context("http://127.0.0.1:9"))
