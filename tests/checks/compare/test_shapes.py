"""Responses of real applications, each with one regression, and with noise that must not hide it; on real servers."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.compare_noise import Answer, Server
from ecs_hooks.checks import CompareCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context

Draw = Callable[[random.Random], Any]
"""Returns an answer, or the JSON of one."""


class Drawn(Server):
    def __init__(self, seed: int, draw: Draw) -> None:
        super().__init__(seed)
        self.draw = draw
        self.requests = 0

    def answer(self, path: str) -> Answer:
        with self.lock:
            self.requests += 1
            found = self.draw(self.chance)
        return found if isinstance(found, Answer) else Answer(json.dumps(found))


@contextmanager
def served(blue: Draw, green: Draw) -> Iterator[tuple[Drawn, Drawn]]:
    servers = (Drawn(1, blue), Drawn(2, green))
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}) for each in servers]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def compared(blue: Draw, green: Draw, **fields: Any) -> Outcome:
    with served(blue, green) as (of_blue, of_green):
        given = {"samples": 20, "interval_seconds": 0, "budget_seconds": 20, "max_slower_percent": None}
        check = CompareCheck.model_validate({**given, "blue_url": of_blue.url, **fields})
        return check.run(context(of_green.url, seconds=600))


def nonce(chance: random.Random) -> str:
    return f"{chance.getrandbits(64):016x}"


def page(body: str, chance: random.Random, name: str = "a1B2c") -> Answer:
    """Return a minified page with a nonce, hashed names of assets, and a hashed class."""
    own = nonce(chance)
    return Answer(
        f'<!doctype html><html lang=en><head><title>Shop</title><meta name="csrf-token" content="{own}">'
        f'<script nonce="{own}">window.__INIT__ = {{"user": null, "n": "{own}"}};</script>'
        f'<script src="/static/app.{own[:8]}.js" integrity="sha384-{own}"></script><style>p{{color:red}}</style></head>'
        f'<body class="page_body__{name}"><!-- built {own} --><ul><li>Tea<li>Milk</ul><br>{body}</body></html>',
        "text/html",
    )


def of_page(body: str, name: str = "a1B2c") -> Draw:
    return lambda chance: page(body, chance, name)


def text(content: str, media_type: str = "text/plain") -> Draw:
    return lambda chance: Answer(content.replace("NONCE", nonce(chance)), media_type)


def lines(*rows: Any) -> Draw:
    return lambda chance: Answer(
        "\n".join(json.dumps({"id": nonce(chance), **row}) for row in rows), "application/x-ndjson"
    )


def users(value: Any, first: int, last: int, **more: Any) -> Draw:
    return lambda _: {"users": {f"cust_{number}": {"age": value, **more} for number in range(first, last)}}


def sampled(value: Callable[[random.Random], Any]) -> Draw:
    return lambda chance: {
        "tags": {"".join(chance.sample("abcdefgh", 4)): value(chance) for _ in range(12)}
    }  # fmt: skip


FEED = (
    '<?xml version="1.0"?><feed><id>NONCE</id><item><price>{}</price><note><![CDATA[a & b]]></note></item><end/></feed>'
)
CODE = 'var n="NONCE";' + "".join(f"function f{number}(){{return {number}}}" for number in range(60))

REGRESSIONS: dict[str, tuple[Draw, Draw, str]] = {
    "a price in a minified page": (of_page("<p>12.50</p>"), of_page("<p>12.49</p>"), '/html/body/p/text() differs in 20 of 20 rounds (blue against itself in 0): "12.50" -> "12.49"'),
    "an error page": (of_page("<p>12.50</p>"), text("<html><body><h1>Error</h1>NONCE</body></html>", "text/html"), "absent"),
    "a template": (of_page("<p>Hello Ada</p>"), of_page("<p>Hello {{ user }}</p>"), '"Hello Ada" -> "Hello {{ user }}"'),
    "a link": (of_page("<a href=/cart>Cart</a>"), of_page("<a href=/kart>Cart</a>"), '/html/body/a/@href differs in 20 of 20 rounds (blue against itself in 0): "/cart" -> "/kart"'),
    "an element more": (of_page(""), of_page("<pre>Traceback</pre>"), "/html/body/pre differs in 20 of 20 rounds (blue against itself in 0): absent -> 1 of them"),
    "JSON in a page": (of_page('<script type="application/json">{"price": 12.5}</script>'), of_page('<script type="application/json">{"price": 12.4}</script>'), "/html/body/script $.price differs in 20 of 20 rounds (blue against itself in 0): 12.5 -> 12.4"),
    "an inline script": (of_page("<script>run(1);go(2)</script>"), of_page("<script>run(1);go(3)</script>"), '"go(2)" -> "go(3)"'),
    "XML": (text(FEED.format("12.5"), "application/xml"), text(FEED.format("12.4"), "application/xml"), '/feed/item/price/text() differs in 20 of 20 rounds (blue against itself in 0): "12.5" -> "12.4"'),
    "NDJSON": (lines({"p": 1}, {"p": 2}), lines({"p": 1}, {"p": 3}), "$[*].p differs in 20 of 20 rounds (blue against itself in 0): 2 -> 3"),
    "one line of a CSV": (text("id,price\n1,12.5\nNONCE,3", "text/csv"), text("id,price\n1,12.4\nNONCE,3", "text/csv"), 'body differs in 20 of 20 rounds (blue against itself in 0): "1,12.5" -> "1,12.4"'),
    "a statement of minified code": (text(CODE, "text/javascript"), text(CODE.replace("return 33", "return 99"), "text/javascript"), '"return 33}" -> "return 99}"'),
    "a type in a map of ids": (lambda c: {"u": {str(c.randrange(10**6, 10**6 + 400)): 1 for _ in range(9)}}, lambda c: {"u": {str(c.randrange(10**6, 10**6 + 400)): "1" for _ in range(9)}}, "$.u.*"),
    "a type in a map of words": (sampled(lambda c: c.randrange(9)), sampled(lambda c: str(c.randrange(9))), "$.tags.*"),
    "a member in a map of other ids": (users(1, 100, 120, vip=True), users(1, 300, 320), "$.users.*.vip differs in 20 of 20 rounds (blue against itself in 0): true -> absent"),
    "a map of ids that is empty": (users(1, 100, 120), users(1, 1, 1), "$.users.* differs in 20 of 20 rounds (blue against itself in 0): an object -> absent"),
    "a frozen clock": (lambda _: {"now": time.time()}, lambda _: {"now": 1_700_000_000.5}, "$.now is the same in 20 rounds (in blue it varies within 20 rounds): 1700000000.5"),
    "a frozen token": (lambda c: {"csrf": nonce(c)}, lambda _: {"csrf": "0123456789abcdef"}, "$.csrf is the same in 20 rounds (in blue it varies within 20 rounds): *** (string)"),
    "a frozen choice": (lambda c: {"v": c.choice("abcdef")}, lambda _: {"v": "a"}, "$.v is the same in 20 rounds"),
    "a frozen order": (lambda c: {"v": c.sample(range(9), 9)}, lambda _: {"v": [3, 1, 2, 0, 4, 8, 7, 6, 5]}, "$.v[*] is the same in 20 rounds (in blue it varies within 20 rounds): several values"),
    "one of twenty prices in any order": (lambda c: {"i": c.sample([n + 0.99 for n in range(20)], 20)}, lambda c: {"i": c.sample([n + 0.99 if n != 7 else 7.5 for n in range(20)], 20)}, "$.i[*] differs in 20 of 20 rounds (blue against itself in 0): 7.99 -> 7.5"),
    "a redirect": (lambda _: {"ok": True}, lambda _: Answer("", status=307, headers=[("Location", "/login?t=1")]), "status differs in 20 of 20 rounds (blue against itself in 0): 200 -> 307 to /login"),
    "a page in place of JSON": (lambda _: {"ok": True}, text("<html>"), "body differs in 20 of 20 rounds (blue against itself in 0): JSON -> text"),
    "a picture": (lambda _: Answer(b"\0a", "image/png"), lambda _: Answer(b"\0b", "image/png"), "body differs in 20 of 20 rounds (blue against itself in 0): one content -> one content"),
    "a text far below": (of_page("<div>" * 30 + "a"), of_page("<div>" * 30 + "b"), '/div/text() differs in 20 of 20 rounds (blue against itself in 0): "a" -> "b"'),
    "a long line": (text("x" * 100 + "1"), text("x" * 100 + "2"), '"...xxxxxxxxxxxx1" -> "...xxxxxxxxxxxx2"'),
}  # fmt: skip


@pytest.mark.parametrize("shape", REGRESSIONS)
def test_a_regression_is_found_in_responses_of_real_applications(shape: str) -> None:
    blue, green, reason = REGRESSIONS[shape]
    outcome = compared(blue, green)
    assert outcome.status is Status.FAIL, outcome
    assert reason in outcome.reason
    assert compared(blue, blue).status is Status.PASS
    assert len(outcome.reason) < 1000


NOISE: dict[str, tuple[Draw, Draw]] = {
    "hashes of classes": (of_page("<p>1</p>"), of_page("<p>1</p>", "x9Yz1")),
    "a map of one process": (users(20, 100, 120), users(70, 300, 320)),
    "connections": (lambda _: {"connections": 17, "max": 100}, lambda _: {"connections": 3, "max": 100}),
    "a queue": (lambda _: {"queue": {"depth": 17}}, lambda _: {"queue": {"depth": 0}}),
    "uptime": (lambda _: {"uptime": "3 days"}, lambda _: {"uptime": "0 days"}),
    "metrics": (text("# TYPE a gauge\na 1"), text("# TYPE a gauge\na 2")),
    "a hashed asset": (text("@import '/a/x.3f9a2c1b.css'"), text("@import '/a/x.99ab2c1b.css'")),
}


@pytest.mark.parametrize("shape", NOISE)
def test_values_of_one_process_or_build_are_noise(shape: str) -> None:
    outcome = compared(*NOISE[shape])
    assert outcome.status is Status.PASS, outcome


@pytest.mark.parametrize(
    ("draw", "fields", "reason"),
    [
        (lambda c: Answer(b"\x89PNG\0" + c.randbytes(9), "image/png"), {}, "not compared: the body (binary or large, and varies in blue) of GET /"),
        (lambda c: {"pid": c.randrange(99)}, {}, "not compared: the value of $.pid of GET /"),
        (lambda _: {"a": 1}, {"ignore": ["$"]}, "not compared: the body (ignored) of GET /"),
        (text("NONCE\nNONCE"), {}, "not compared: lines of the body that vary in blue of GET /"),
        (lambda _: Answer("", status=307, headers=[("Location", "/login?token=x")]), {}, "blue responds 307 (redirect to /login) to GET /; nothing but redirects was compared (follow_redirects follows them)"),
    ],
)  # fmt: skip
def test_a_pass_names_what_could_not_be_compared(draw: Draw, fields: dict[str, Any], reason: str) -> None:
    outcome = compared(draw, draw, **fields)
    assert outcome.status is Status.PASS
    assert reason in outcome.reason


def test_the_same_picture_is_compared() -> None:
    outcome = compared(lambda _: Answer(b"\0a", "image/png"), lambda _: Answer(b"\0a", "image/png"))
    assert outcome.status is Status.PASS
    assert "not compared" not in outcome.reason


def test_an_ignored_pattern_applies_to_texts_json_and_headers() -> None:
    def draw(build: str) -> Draw:
        return lambda _: Answer(
            json.dumps({"a": f"build {build}"}), headers=[("X-Build", f"build {build}")]
        )  # fmt: skip

    ignored = {"ignore": [{"matches": "build [0-9a-f]+"}]}
    assert compared(draw("1"), draw("2"), **ignored).status is Status.PASS
    assert compared(draw("1"), draw("x"), **ignored).status is Status.FAIL
    assert compared(text("v1\nbuild 1"), text("v1\nbuild 2"), **ignored).status is Status.PASS
    assert compared(of_page("<p>build 1</p>"), of_page("<p>build 2</p>"), **ignored).status is Status.PASS


@pytest.mark.parametrize(
    ("ignored", "problem"),
    [
        ({"matches": "("}, "is not a valid regular expression"),
        (5, 'must be a string, or a pattern of texts such as {"matches": "build \\[0-9\\]\\+"}, not number'),
        ("$" + "x" * 1000, "a JSONPath must have at most 1000 characters"),
    ],
)
def test_something_else_is_refused_where_a_path_or_a_pattern_belongs(ignored: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CompareCheck.model_validate({"ignore": [ignored]})


def test_secrets_in_texts_are_masked() -> None:
    green = of_page("<p>token: hunter2hunter2</p><a href='/x?api_key=hunter2hunter2&n=2'>x</a>")
    outcome = compared(of_page("<p>token: opensesame</p><a href='/x?api_key=opensesame&n=1'>x</a>"), green)
    assert outcome.status is Status.FAIL
    assert '"/x?api_key=***&n=1" -> "/x?api_key=***&n=2"' in outcome.reason
    assert "hunter2" not in outcome.reason
    assert "opensesame" not in outcome.reason


def test_a_redirect_that_is_followed_in_green_alone_is_a_difference() -> None:
    def draw(chance: random.Random) -> Answer:
        return Answer("{}", headers=[("Location", "/b")], status=307 if chance.random() < 2 else 200)

    with served(lambda _: {}, lambda _: {}) as (blue, green):
        green.answer = lambda path: Answer("{}") if path == "/b" else draw(green.chance)  # type: ignore[method-assign]
        given = {"samples": 20, "interval_seconds": 0, "blue_url": blue.url, "follow_redirects": True}
        outcome = CompareCheck.model_validate(given).run(context(green.url, seconds=600))
    assert outcome.status is Status.FAIL
    assert (
        'redirected to differs in 20 of 20 rounds (blue against itself in 0): absent -> "{origin}/b"' in outcome.reason
    )


def test_equal_applications_have_equal_latency_and_a_slower_green_is_found() -> None:
    """The servers send header and body apart, with Nagle's algorithm: a delayed acknowledgement would add 40 ms."""

    def slower(_: random.Random) -> Any:
        time.sleep(0.035)
        return {"a": 1}

    given = {"max_slower_percent": 50, "interval_seconds": 0.02}
    outcome = compared(lambda _: {"a": 1}, lambda _: {"a": 1}, **given)
    blue, green = (float(str(outcome.evidence[f"{side}_p50_ms"])) for side in ("blue", "green"))
    assert outcome.status is Status.PASS
    assert blue < 20
    assert abs(blue - green) < 5  # less than 1 ms on an idle machine
    outcome = compared(lambda _: {"a": 1}, slower, **given)
    assert outcome.status is Status.FAIL
    assert "median latency" in outcome.reason
