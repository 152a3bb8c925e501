"""Links of responses are followed, within the origin of green."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.checks import LoadCheck, ScenarioCheck
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint
from tests.checks.scenario.story import Story
from tests.http.fixtures import Serve
from tests.support.targets import behind

FOLLOW = {"path": "{{next}}"}


def follow(
    story: Story, link: str, *, base: str = "", first: str = "/items", then: Any = None, **fields: Any
) -> Outcome:
    """Capture a link from the body of a first response, and follow it."""
    story.answer(f"{base}{first}", link.encode())
    host = fields.pop("host", "")
    green = Endpoint(story.server.url + base, host=host)
    start = {"path": first, "captures": {"next": {"query": "body"}}}
    return story.play(start, {**FOLLOW, **(then or {})}, green=green, **fields)


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("/items?page=2", "/items?page=2"),
        ("{url}/items?page=2&q=a%2Fb", "/items?page=2&q=a%2Fb"),
        ("?page=2", "/items?page=2"),
        ("static/app.js", "/static/app.js"),
        ("./static/app.js#top", "/static/app.js"),
        ("../up", "/up"),
        (" /trimmed \n", "/trimmed"),
        ("//{host}/relative", "/relative"),
        ("HTTP://{host}/upper", "/upper"),
        ("/é ü", "/%C3%A9%20%C3%BC"),
        ("http://shop.example.com/named", "/named"),
        ("http://SHOP.example.com:80/named", "/named"),
        ("http://shop.example.com:{port}/named", "/named"),
        ("http://user:pass@{host}/anonymous", "/anonymous"),
    ],
)  # fmt: skip
def test_links_to_green_are_followed(serve: Serve, link: str, sent: str) -> None:
    story = Story(serve)
    url = story.server.url
    filled = link.format(url=url, host=url.removeprefix("http://"), port=story.server.port)
    outcome = follow(story, filled, host="shop.example.com")
    assert outcome.status is Status.PASS, outcome.reason
    assert story.lines[1] == f"GET {sent}"
    assert "\r\nHost: shop.example.com\r\n" in story.requests[1]


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("http://elsewhere.example/", "is an address at http://elsewhere.example, but the origin of green is"),
        ("https://shop.example.com/", "is an address at https://shop.example.com, but the origin of green is"),
        ("http://shop.example.com:8081/", "is an address at http://shop.example.com:8081, but"),
        ("http://127.0.0.1:1/", "is an address at http://127.0.0.1:1, but"),
        ("//elsewhere.example/a", "is an address at http://elsewhere.example, but"),
        ("http://shop.example.com@elsewhere.example/", "is an address at http://elsewhere.example, but"),
        ("javascript:alert(1)", "address must begin with http:// or https://"),
        ("http://[", "address is not valid"),
        ("", "is empty, and not an address"),
    ],
)
def test_other_links_are_errors_of_the_step(serve: Serve, link: str, problem: str) -> None:
    story = Story(serve)
    outcome = follow(story, link, host="shop.example.com")
    assert outcome.status is Status.FAIL
    assert f"request 2 with its variables.path: {{{{next}}}} {problem}" in outcome.reason
    assert len(story.requests) == 1


def test_links_of_green_ignore_the_prefix_of_the_base_url(serve: Serve) -> None:
    story = Story(serve)
    assert follow(story, "/shop/items?page=2", base="/shop").status is Status.PASS
    assert follow(story, "more", base="/shop", first="/list/").status is Status.PASS
    assert story.lines == ["GET /shop/items", "GET /shop/items?page=2", "GET /shop/list/", "GET /shop/list/more"]


def test_parameters_that_the_rule_requires_are_not_repeated(serve: Serve) -> None:
    story = Story(serve)
    start = {"path": "/items", "captures": {"next": {"query": "body"}}}
    required = [{"Key": "test", "Value": "1"}], [{"Key": "other", "Value": "2"}]
    conditions = [{"Field": "query-string", "QueryStringConfig": {"Values": each}} for each in required]
    green = behind(story.server.url, *conditions)
    story.answer("/items?other=2&test=1", b"/items?test=1&page=2")
    assert story.play(start, {**FOLLOW, "query": {"a": 1}}, green=green).status is Status.PASS
    assert story.lines[1] == "GET /items?other=2&test=1&page=2&a=1"


def test_a_link_may_continue_and_come_from_the_plan(serve: Serve) -> None:
    story = Story(serve)
    assert follow(story, "/orders/7", then={"path": "{{next}}/lines?of={{next}}"}).status is Status.PASS
    assert story.lines[1] == "GET /orders/7/lines?of=%2Forders%2F7"
    story.requests.clear()
    variables = {"a": "/a b", "b": "relative", "c": story.server.url + "/c"}
    requests = [{"path": "{{a}}"}, {"path": "{{b}}"}, {"path": "{{c}}"}]
    assert story.play(*requests, green=f"{story.server.url}/base/", variables=variables).status is Status.PASS
    assert story.lines == ["GET /base/a%20b", "GET /base/relative", "GET /c"]


def test_a_location_is_followed_with_the_host_of_the_request(serve: Serve) -> None:
    story = Story(serve)
    story.answer("/login", b"", "Location: http://own.example/home", status="302 Found")
    start = {"path": "/login", "expect": {"status": 302}, "captures": {"next": {"query": "location"}}}
    outcome = story.play(start, {**FOLLOW, "headers": {"host": "own.example"}})
    assert outcome.status is Status.PASS, outcome.reason
    assert story.lines[1] == "GET /home"
    outcome = story.play(start, {**FOLLOW, "headers": {"host": "other.example"}})
    assert "but the origin of green is http://127.0.0.1" in outcome.reason
    assert outcome.reason.endswith("or http://other.example")


def test_a_url_may_be_captured_or_have_a_captured_host(serve: Serve) -> None:
    story, other = Story(serve), Story(serve)
    story.answer("/first", f"{other.server.url}/upload?signature=a%2Fb".encode())
    start = {"path": "/first", "captures": {"next": {"query": "body"}}}
    assert story.play(start, {"url": "{{next}}", "method": "PUT"}).status is Status.PASS
    assert other.lines == ["PUT /upload?signature=a%2Fb"]
    variables = {"host": f"127.0.0.1:{other.server.port}", "q": "a/b?"}
    check = story.play({"url": "http://{{host}}/x/{{q}}?q={{q}}"}, variables=variables)
    assert check.status is Status.PASS, check.reason
    assert other.lines[1] == "GET /x/a%2Fb%3F?q=a%2Fb%3F"
    # A link of another server is none to green.
    start = {"url": other.server.url, "captures": {"next": {"query": "header", "name": "X-Order"}}}
    assert "is an address at http://127.0.0.1" in story.play(start, FOLLOW).reason


def test_requirements_have_the_urls_that_are_known() -> None:
    requests = [{"url": "https://{{host}}/a", "captures": {"x": {"query": "body"}}}, {"url": "{{x}}"}]
    check = ScenarioCheck.model_validate({"requests": requests, "variables": {"host": "a.example"}})
    assert list(check.requirements().urls) == ["https://a.example/a"]
    assert check.requirements().listener is None
    load = LoadCheck.model_validate({"requests": [{"url": "https://{{host}}/a"}], "variables": {"host": "a.example"}})
    assert list(load.requirements().urls) == ["https://a.example/a"]
