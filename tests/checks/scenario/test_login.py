"""A login before the requests of a check, on a real server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import Check
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.session import Session
from ecs_hooks.checks.scenario.login import LoggedIn, LoginError, LoginFields
from ecs_hooks.checks.scenario.variables import VariableRequest
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.http.retry import send
from tests.checks.asking import context


class _Check(LoginFields, Check):
    type: Literal["own"] = "own"
    requests: tuple[VariableRequest, ...] = (VariableRequest(),)

    def run(self, context: CheckContext) -> Outcome:
        raise NotImplementedError


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.seen.append((self.path, self.headers["Cookie"], self.headers["Authorization"]))
        self._reply(200, {})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._reply(200 if given.get("password") == "open-sesame" else 401, {"token": "t0k3n-of-ada", "user": 7})

    def _reply(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Set-Cookie", "sid=c00kie; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shop)
        self.seen: list[tuple[str, str | None, str | None]] = []


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


LOGIN: dict[str, Any] = {
    "login": [
        {
            "name": "sign in",
            "method": "POST",
            "path": "/login",
            "json": {"password": "{{password}}"},
            "captures": {
                "token": {"query": "jsonpath", "path": "$.token", "secret": True},
                "user": {"query": "jsonpath", "path": "$.user"},
            },
        }
    ],
    "secrets": {"password": "open-sesame"},
    "requests": [{"path": "/users/{{user}}", "headers": {"Authorization": "Bearer {{token}}"}}],
}


def log_in(server: Server, **fields: Any) -> tuple[_Check, Session, LoggedIn]:
    check = _Check.model_validate({**LOGIN, **fields})
    where = context(f"http://127.0.0.1:{server.server_port}")
    session = Session.start(where, "test")
    return check, session, check.log_in(session, where.deadline)


def test_requests_have_the_captures_and_cookies_of_the_login(server: Server) -> None:
    check, session, logged_in = log_in(server)
    request = logged_in.build(check.requests[0], session)
    send(request, session.limits, session.deadline)

    assert server.seen == [("/users/7", "sid=c00kie", "Bearer t0k3n-of-ada")]
    assert logged_in.captured == {"token": "t0k3n-of-ada", "user": 7}
    assert session.redactor.mask("open-sesame t0k3n-of-ada c00kie") == "*** *** ***"


def test_without_a_login_requests_are_as_they_are(server: Server) -> None:
    check, session, logged_in = log_in(server, login=[], secrets={}, requests=[{"path": "/\\{{user}}"}])
    assert (logged_in.values, logged_in.captured, logged_in.cookies) == ({}, {}, None)
    assert logged_in.build(check.requests[0], session).url.target == "/%7B%7Buser%7D%7D"
    check, session, logged_in = log_in(server, login=[], secrets={}, variables={"user": 3}, requests=[])
    assert logged_in.filled(VariableRequest(path="/{{user}}"), session)[0].path == "/3"


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"secrets": {"password": "wrong-one"}}, Status.FAIL, r'^login request 1 "sign in" POST \S+ status 401'),
        ({"login_seconds": 1e-5}, Status.FAIL, r'^login request 1 "sign in" did not end within 1e-05 s \(login_sec'),
        ({"login": [{"method": "GET", "url": "http://127.0.0.1:9", "connect_retries": 0}], "requests": []}, Status.ERROR, "^login request 1 GET "),
    ],
)  # fmt: skip
def test_a_failed_login_has_its_request_in_the_reason(
    server: Server, fields: dict[str, Any], status: Status, reason: str
) -> None:
    with pytest.raises(LoginError) as caught:
        log_in(server, **fields)
    assert caught.value.outcome.status is status
    assert re.search(reason, caught.value.outcome.reason), caught.value.outcome.reason


def test_a_failure_of_a_request_that_only_warns_is_none(server: Server) -> None:
    first = {"path": "/x", "warn": True, "expect": {"status": 404}}
    _, _, logged_in = log_in(server, login=[first, *LOGIN["login"]])
    assert logged_in.captured["user"] == 7


def test_a_value_that_does_not_fit_is_a_failure(server: Server) -> None:
    unfit = VariableRequest.model_validate({"method": "{{user}} 1"})
    _, session, logged_in = log_in(server)
    with pytest.raises(LoginError, match=r"with its variables\.method"):
        logged_in.filled(unfit, session)


def test_a_variable_without_a_value_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"login\[0\]: \{\{password\}\} has no value"):
        _Check.model_validate({**LOGIN, "secrets": {}})
    with pytest.raises(ValidationError, match=r"requests\[0\]: \{\{other\}\} has no value"):
        _Check.model_validate({**LOGIN, "requests": [{"path": "/{{other}}"}]})
    with pytest.raises(ValidationError, match="both have password"):
        _Check.model_validate({**LOGIN, "variables": {"password": "x"}})


def test_the_requirements_of_the_login_are_those_of_the_check() -> None:
    login = [
        {"url": "https://login", "method": "POST", "headers": {"X-Key": {"ssm": "/key"}}, "ca_certificates": {"ssm": "/ca"}},
        {"method": "PUT", "auth": {"sigv4": {"service": "s", "region": "eu-west-1"}}},
    ]  # fmt: skip
    check = _Check.model_validate({"login": login, "secrets": {"password": {"ssm": "/pass"}}, "login_seconds": 5})
    required = check.with_login(Requirements(methods=("GET",), seconds=60))
    assert list(required.urls) == ["https://login"]
    assert required.methods == ("GET", "PUT")
    assert {each.name for each in required.secrets} == {"/key", "/ca", "/pass"}
    assert len(required.signatures) == 1
    assert required.seconds == 65
