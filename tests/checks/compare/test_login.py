"""A login to blue and to green before the requests of a compare check."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import CheckContext, CompareCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.conditions import header, path
from tests.support.targets import FixedTarget, behind, rule


class Shop(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str, password: str, price: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.password, self.price = name, password, price
        self.logins = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.logins += 1
        user = f"user-{self.server.name}"
        self._reply(200 if given["password"] == self.server.password else 401, {"token": f"t0k3n-{user}", "id": user})

    def do_GET(self) -> None:
        name = f"user-{self.server.name}"
        known = (f"Bearer t0k3n-{name}", f"sid=c00kie-{self.server.name}", f"/users/{name}/cart")
        if (self.headers["Authorization"], self.headers["Cookie"], self.path) != known:
            self._reply(401, {})
            return
        self._reply(200, {"owner": name, "self": f"/users/{name}/cart", "price": self.server.price})

    def _reply(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Set-Cookie", f"sid=c00kie-{self.server.name}; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def shops(
    *, green_password: str = "sesame", price: float = 1, blue_password: str = "sesame"
) -> Iterator[tuple[Shop, Shop]]:
    both = (Shop("blue", blue_password, 1), Shop("green", green_password, price))
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}) for each in both]
    for thread in threads:
        thread.start()
    try:
        yield both
    finally:
        for shop, thread in zip(both, threads, strict=True):
            shop.shutdown()
            thread.join()
            shop.server_close()


LOGIN: dict[str, Any] = {
    "login": [
        {
            "method": "POST",
            "path": "/login",
            "json": {"password": "{{password}}"},
            "captures": {
                "token": {"query": "jsonpath", "path": "$.token"},
                "user": {"query": "jsonpath", "path": "$.id"},
            },
        }
    ],
    "secrets": {"password": "sesame"},
    "requests": [{"path": "/users/{{user}}/cart", "headers": {"Authorization": "Bearer {{token}}"}}],
    "samples": 15,
    "interval_seconds": 0,
}


def run(blue: str, green: str, **fields: Any) -> Outcome:
    return CompareCheck.model_validate({**LOGIN, "blue_url": blue, **fields}).run(context(green, seconds=600))


def test_both_are_logged_in_to_once_and_captured_values_are_no_difference() -> None:
    with shops() as (blue, green):
        outcome = run(blue.url, green.url)
        assert outcome.status is Status.PASS, outcome
        assert (blue.logins, green.logins) == (1, 1)
    assert outcome.reason.startswith("GET /users/{{user}}/cart: no difference in 15 rounds")


def test_a_difference_behind_the_login_is_found_and_secrets_are_masked() -> None:
    with shops(price=2) as (blue, green):
        outcome = run(blue.url, green.url)
    assert outcome.status is Status.FAIL
    assert "$.price differs in 15 of 15 rounds (blue against itself in 0): 1 -> 2" in outcome.reason
    assert "t0k3n" not in outcome.reason


def test_a_login_that_fails_in_green_is_a_failure_and_in_blue_an_error() -> None:
    with shops(green_password="other") as (blue, green):
        outcome = run_login(blue.url, green.url)
    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("green: login request 1 POST ")
    with shops(blue_password="other") as (blue, green):
        outcome = run_login(blue.url, green.url)
    assert outcome.status is Status.ERROR
    assert outcome.reason.startswith("blue: login request 1 POST ")


def run_login(blue: str, green: str) -> Outcome:
    with pytest.raises(Exception, match="login request 1") as caught:
        run(blue, green)
    outcome: Outcome = caught.value.outcome  # type: ignore[attr-defined]
    return outcome


def test_after_a_login_one_address_is_refused_and_the_time_includes_both_logins() -> None:
    with shops() as (blue, _), pytest.raises(Exception, match="blue and green resolve to the same address"):
        run(blue.url, blue.url)
    required = CompareCheck.model_validate(LOGIN).requirements()
    assert required.seconds == 60 + 1 + 2 * 10
    assert list(required.methods) == ["GET", "POST"]
    outcome = CompareCheck.model_validate({**LOGIN, "blue_url": "http://a"}).run(context("http://b", seconds=30))
    assert outcome.reason.startswith("budget_seconds and login_seconds: the check requires 81 s")


def test_a_login_to_blue_that_would_reach_green_is_refused() -> None:
    test = header("X-Test", "yes")
    blue = behind("http://alb", path("/*"), before=[rule(test, priority=5)], of="blue")
    ready = CheckContext(FixedTarget(behind("http://alb", test), blue), Deadline.after(100))
    login = [{**LOGIN["login"][0], "headers": {"X-Test": "yes"}}]
    with pytest.raises(Exception, match=r"blue: login request 1 .*priority 5, http-header X-Test.* takes the request"):
        CompareCheck.model_validate({**LOGIN, "login": login}).run(ready)


def test_a_method_must_not_depend_on_a_response() -> None:
    login = [{"path": "/login", "captures": {"m": {"query": "body"}}}]
    with pytest.raises(ValidationError, match=r"requests\[0\].method: must not depend on a response; write the method"):
        CompareCheck.model_validate({"login": login, "requests": [{"method": "{{m}}"}]})
