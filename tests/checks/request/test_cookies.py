"""Cookies in the checks that send requests, against servers on loopback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_hooks.checks import Check, CompareCheck, HttpCheck, LoadCheck, ScenarioCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.http import HttpClient
from tests.checks.asking import context
from tests.http.fixtures import Serve, _loopback_allowed, serve
from tests.http.servers import Peer, Server

__all__ = ["_loopback_allowed", "serve"]

NOT_SENT = "; a Secure cookie (sid) was not sent over http"


def setting(serve: Serve, cookies: Mapping[str, list[str]], moved: Mapping[str, str] | None = None) -> Server:
    """A server that sets cookies and redirects by path, and requires the cookie `sid=s3cret` on /home."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            path = request.split()[1].decode().partition("?")[0]
            found = re.search(rb"\r\nCookie: ([^\r]*)", request)
            sent = found[1] if found else b""
            status = "401 No" if path == "/home" and b"sid=s3cret" not in sent else "200 OK"
            headers = [f"Set-Cookie: {each}" for each in cookies.get(path, [])]
            if moved and path in moved and not (path == "/self" and sent):
                status, headers = "302 Found", [*headers, f"Location: {moved[path]}"]
            peer.answer(sent, *headers, status=status)

    return serve(script)


def run(check: type[Check], server: Server, **fields: Any) -> Outcome:
    return check.model_validate(fields).run(context(server.url, seconds=600))


def play(server: Server, *paths: str, expected: str = "", **last: Any) -> Outcome:
    requests: list[dict[str, Any]] = [{"path": path} for path in paths]
    requests[-1] |= {"expect": {"body": {"equals": expected}}, **last}
    return run(ScenarioCheck, server, requests=requests)


def test_two_cookies_of_one_name_are_both_sent_the_longer_path_first(serve: Serve) -> None:
    server = setting(serve, {"/login": ["a=1; Path=/", "a=2; Path=/x"]})
    outcome = play(server, "/login", "/x/y", expected="a=2; a=1")
    assert outcome.status is Status.PASS, outcome


def test_a_cookie_that_is_set_and_deleted_in_one_response_is_not_sent(serve: Serve) -> None:
    server = setting(serve, {"/login": ["a=1; Path=/", "a=; Path=/; Max-Age=0"]})
    assert play(server, "/login", "/x").status is Status.PASS


def test_the_own_cookie_of_a_request_wins(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_COOKIE", "a=own")
    server = setting(serve, {"/login": ["a=1; Path=/", "b=2; Path=/"]})
    for header in ("a=own", {"env": "OWN_COOKIE"}):
        outcome = play(server, "/login", "/x", expected="a=own; b=2", headers={"cookie": header})
        assert outcome.status is Status.PASS, outcome


@pytest.mark.parametrize("path", ["/enter", "/self", "/far"])
def test_cookies_are_kept_between_the_redirects_of_a_request(serve: Serve, path: str) -> None:
    cookies = {"/enter": ["sid=s3cret; Path=/"], "/self": ["sid=s3cret; Path=/"], "/back": ["sid=s3cret; Path=/home"]}
    server = setting(serve, cookies, {"/enter": "/home", "/self": "/self", "/far": "/back", "/back": "/home"})
    follows = {"path": path, "follow_redirects": True, "expect": {"body": {"contains": "sid=s3cret"}}}
    load = {"requests_per_second": 10, "duration_seconds": 1, "follow_redirects": True}

    outcome = run(HttpCheck, server, **follows)
    assert outcome.status is Status.PASS, outcome
    assert run(HttpCheck, server, **follows, samples={"count": 5}).status is Status.PASS
    assert run(ScenarioCheck, server, requests=[follows]).status is Status.PASS
    assert run(LoadCheck, server, requests=[{"path": path}], **load).status is Status.PASS
    response = HttpClient(server.url, Deadline.after(10)).get(path, follow_redirects=True)
    assert (response.status, response.text) == (200, "sid=s3cret")


def test_each_request_begins_without_cookies(serve: Serve) -> None:
    server = setting(serve, {"/enter": ["sid=s3cret; Path=/"]}, {"/enter": "/home"})
    client = HttpClient(server.url, Deadline.after(10))
    assert client.get("/enter", follow_redirects=True).status == 200
    assert client.get("/home").status == 401
    assert client.get("/enter").status == 302


def test_a_cookie_stays_with_its_host_on_any_port(serve: Serve) -> None:
    server = setting(serve, {"/enter": ["sid=s3cret; Path=/"]})
    requests = [
        {"path": "/enter", "headers": {"Host": "here.example"}},
        {"path": "/x", "headers": {"Host": "there.example"}, "expect": {"body": {"equals": ""}}},
        {"path": "/x", "headers": {"Host": "HERE.example:81"}, "expect": {"body": {"equals": "sid=s3cret"}}},
    ]
    outcome = run(ScenarioCheck, server, requests=requests)
    assert outcome.status is Status.PASS, outcome


def test_a_redirect_to_another_host_gets_its_own_cookies_alone(serve: Serve) -> None:
    other = setting(serve, {}, {})
    there = other.url.replace("127.0.0.1", "localhost")
    server = setting(serve, {"/enter": ["sid=s3cret; Path=/"]}, {"/enter": f"{there}/x"})
    expect = {"body": {"equals": ""}}
    outcome = run(HttpCheck, server, path="/enter", follow_redirects=True, expect=expect)
    assert outcome.status is Status.PASS, outcome
    assert outcome.evidence["redirects"] == 1


def test_a_cookie_of_a_redirect_is_masked(serve: Serve) -> None:
    server = setting(serve, {"/enter": ["sid=s3cret-cookie; Path=/"]}, {"/enter": "/x"})
    expect = {"asserts": [{"query": "body", "filters": [{"split": "="}, "last"], "equals": "x"}]}
    outcome = run(HttpCheck, server, path="/enter", follow_redirects=True, expect=expect)
    assert outcome.status is Status.FAIL
    assert "s3cret-cookie" not in outcome.reason


# A Secure cookie on plain http


def test_a_failure_names_the_secure_cookie_that_was_not_sent(serve: Serve) -> None:
    server = setting(serve, {"/login": ["sid=s3cret; Secure; Path=/", "theme=dark; Path=/"]}, {"/login": "/home"})
    login, home = {"path": "/login", "expect": {"status": 302}}, {"path": "/home"}
    follow = {"path": "/login", "follow_redirects": True}
    load = {"requests_per_second": 10, "duration_seconds": 1}

    for outcome in (
        run(ScenarioCheck, server, requests=[login, home]),
        run(
            ScenarioCheck,
            server,
            requests=[login, {**home, "until": {"timeout_seconds": 0.1, "interval_seconds": 0.05}}],
        ),
        run(ScenarioCheck, server, requests=[follow]),
        run(HttpCheck, server, **follow),
        run(LoadCheck, server, requests=[home], login=[login], **load),
        run(LoadCheck, server, requests=[{"path": "/login"}], follow_redirects=True, **load),
    ):
        assert outcome.status is Status.FAIL
        assert f"/home status 401, expected 2xx{NOT_SENT}" in outcome.reason
    assert NOT_SENT in run(HttpCheck, server, **follow, samples={"count": 3}).reason

    assert "Secure" not in run(ScenarioCheck, server, requests=[login, {"path": "/x"}]).reason
    assert "Secure" not in run(ScenarioCheck, server, requests=[home]).reason
    own = {**home, "headers": {"Cookie": "sid=other"}}
    assert "Secure" not in run(ScenarioCheck, server, requests=[login, own]).reason


def test_so_does_a_redirect_without_end(serve: Serve) -> None:
    server = setting(serve, {"/login": ["sid=s3cret; Secure; Path=/"]}, {"/login": "/shop", "/shop": "/login"})
    outcome = run(HttpCheck, server, path="/shop", follow_redirects=True)
    assert outcome.reason.endswith(f"redirects form a loop{NOT_SENT}")


def test_so_does_a_comparison_of_revisions(serve: Serve) -> None:
    login = {"path": "/login"}
    fields = {"login": [login], "requests": [{"path": "/home"}], "samples": 15, "interval_seconds": 0}
    blue = setting(serve, {"/login": ["sid=s3cret; Path=/"]})
    green = setting(serve, {"/login": ["sid=s3cret; Secure; Path=/"]})

    outcome = run(CompareCheck, green, blue_url=blue.url, **fields)
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith(NOT_SENT)
    assert (
        run(CompareCheck, blue, blue_url=setting(serve, {"/login": ["sid=s3cret; Path=/"]}).url, **fields).status
        is Status.PASS
    )
