"""The compare check with an application whose responses all differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import CheckContext, CompareCheck
from ecs_hooks.checks.compare.json_diff import IncomparableError
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError
from ecs_hooks.deployment.green import EndpointConfig
from tests.checks.asking import context
from tests.checks.compare.store import Both, Change, Page, both
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying
from tests.support.conditions import header, methods, path
from tests.support.targets import FixedTarget, behind, rule

ITEMS: dict[str, Any] = {"requests": [{"path": "/items"}]}
QUICK: dict[str, Any] = {"samples": 15, "interval_seconds": 0}


@pytest.fixture
def stores() -> Iterator[Both]:
    with both() as stores:
        yield stores


def run(stores: Both, **fields: Any) -> Outcome:
    check = CompareCheck.model_validate({**ITEMS, **QUICK, "blue_url": stores.blue.url, **fields})
    return check.run(context(stores.green.url, seconds=600))


def numbers(outcome: Outcome) -> dict[str, float]:
    return {name: value for name, value in outcome.evidence.items() if isinstance(value, int | float)}


def in_json(change: Any) -> Change:
    """Return a change of the JSON."""

    def changed(page: Page) -> None:
        if isinstance(page.document, dict):
            change(page.document)

    return changed


def put(name: str, value: Any) -> Change:
    return in_json(lambda document: document.update({name: value}))


def item(document: Any, number: int) -> Any:
    return next(each for each in document["items"] if each["id"] == number)


def without_header(name: str) -> Change:
    def changed(page: Page) -> None:
        del page.headers[name]

    return changed


def cent_off(document: Any) -> None:
    item(document, 3)["price"] = 15.49


def sold_in_capitals(document: Any) -> None:
    for each in document["items"]:
        each["state"] = each["state"].replace("sold", "SOLD")


def slow(page: Page) -> None:
    page.seconds = 0.06


REGRESSIONS: dict[str, tuple[Change, str]] = {
    "a key is missing": (in_json(lambda d: d["owner"].pop("email")), '$.owner.email differs in 15 of 15 rounds (blue against itself in 0): "ada@example.com" -> absent'),
    "a key in items is missing": (in_json(lambda d: [each.pop("state") for each in d["items"]]), "$.items[*].state"),
    "another type": (in_json(lambda d: d.update(total=str(d["total"]))), '$.total differs in 15 of 15 rounds (blue against itself in 0): 8 -> "8"'),
    "another constant": (in_json(lambda d: d["owner"].update(name="Bob")), '$.owner.name differs in 15 of 15 rounds (blue against itself in 0): "Ada" -> "Bob"'),
    "a cent in one item": (in_json(cent_off), "$.items[*].price differs in 15 of 15 rounds (blue against itself in 0): 15.5 -> 15.49"),
    "null for a value": (in_json(lambda d: d["owner"].update(since=None)), '$.owner.since differs in 15 of 15 rounds (blue against itself in 0): "2019-03-01" -> null'),
    "null for an id": (put("request", None), "$.request"),
    "a key more": (put("debug", True), "$.debug differs in 15 of 15 rounds (blue against itself in 0): absent -> true"),
    "an object gone": (in_json(lambda d: d.pop("owner")), "$.owner differs in 15 of 15 rounds (blue against itself in 0): an object -> absent"),
    "an array for an object": (put("owner", []), "$.owner differs in 15 of 15 rounds (blue against itself in 0): an object -> an array of 0"),
    "a shorter array": (in_json(lambda d: d["sorted"].pop()), "$.sorted differs in 15 of 15 rounds (blue against itself in 0): an array of 5 -> an array of 4"),
    "another order": (in_json(lambda d: d["sorted"].reverse()), "$.sorted[*] differs in 15 of 15 rounds (blue against itself in 0): in another order"),
    "a word in capitals": (in_json(sold_in_capitals), '$.items[*].state differs in 15 of 15 rounds (blue against itself in 0): "sold" -> "SOLD"'),
    "a word that never was": (put("mood", "wonderful"), "$.mood"),
    "the exception is the rule": (put("now_and_then", "odd"), "$.now_and_then"),
    "a number far off": (in_json(lambda d: d.update(load=d["load"] * 3)), "$.load"),
    "status": (lambda page: setattr(page, "status", 203), "status differs in 15 of 15 rounds (blue against itself in 0): 200 -> 203"),
    "content type": (lambda page: page.headers.update({"Content-Type": "text/html"}), 'header content-type differs in 15 of 15 rounds (blue against itself in 0): "application/json; charset=utf-8" -> "text/html"'),
    "a header is missing": (without_header("X-Frame-Options"), 'header x-frame-options differs in 15 of 15 rounds (blue against itself in 0): "DENY" -> absent'),
    "an id header is missing": (without_header("ETag"), "header etag differs in 15 of 15 rounds (blue against itself in 0): present -> absent"),
    "a header more": (lambda page: page.headers.update({"X-Debug": "on"}), 'header x-debug differs in 15 of 15 rounds (blue against itself in 0): absent -> "on"'),
    "a cookie for scripts": (lambda page: page.headers.update({"Set-Cookie": "visit=1; Path=/"}), 'header set-cookie differs in 15 of 15 rounds (blue against itself in 0): "visit; httponly; path=/" -> "visit; path=/"'),
    "no JSON any more": (lambda page: setattr(page, "document", "<html>"), "body differs in 15 of 15 rounds (blue against itself in 0): JSON -> text"),
    "a byte order mark": (lambda page: setattr(page, "document", f"\ufeff{json.dumps(page.document)}"), "body differs in 15 of 15 rounds (blue against itself in 0): JSON -> JSON after a byte order mark"),
    "no body": (lambda page: setattr(page, "document", ""), "body differs in 15 of 15 rounds (blue against itself in 0): JSON -> empty"),
}  # fmt: skip


@pytest.mark.parametrize("regression", REGRESSIONS)
def test_a_regression_is_found_and_named_by_its_path(regression: str) -> None:
    change, named = REGRESSIONS[regression]
    with both(change) as stores:
        outcome = run(stores)
    assert outcome.status is Status.FAIL, outcome
    assert outcome.reason.startswith(f"GET /items: {named}"), outcome.reason
    assert numbers(outcome)["differences"] >= 1
    assert numbers(outcome)["most_rounds"] == 15


def test_several_regressions_are_found_at_once() -> None:
    names = [
        "a key is missing",
        "another type",
        "another constant",
        "a cent in one item",
        "null for a value",
        "a key more",
    ]
    names += ["a shorter array", "a word in capitals", "a header is missing", "content type", "a word that never was"]
    with both(*(REGRESSIONS[name][0] for name in names)) as stores:
        outcome = run(stores, samples=30)
    assert outcome.status is Status.FAIL
    # With the array its items are shorter, too.
    assert outcome.evidence["differences"] == len(names) + 1
    assert outcome.reason.endswith(f"; and {len(names) - 2} more")


def test_a_slow_green_is_found() -> None:
    with both(slow) as stores:
        outcome = run(stores, samples=20)
        assert outcome.status is Status.FAIL
        assert outcome.reason.startswith("GET /items: median latency ")
        assert "more than max_slower_percent 50 and max_slower_ms 20 allow" in outcome.reason
        assert numbers(outcome)["green_p50_ms"] > numbers(outcome)["blue_p50_ms"] + 30
        assert run(stores, max_slower_ms=60_000).status is Status.PASS
        assert "green_p50_ms" not in run(stores, max_slower_percent=None).evidence


def test_blue_does_not_differ_from_itself(stores: Both) -> None:
    for _ in range(10):
        outcome = run(stores, requests=[{"path": "/items"}, {}, {"path": "/old"}, {"path": "/none", "method": "HEAD"}])
        assert outcome.status is Status.PASS, outcome
    assert outcome.reason.startswith("GET /items, GET /, GET /old and 1 more: no difference in 15 rounds at ")
    assert (
        "vary in blue; blue responds 302 (redirect to {origin}/items) to GET /old, 404 to HEAD /none" in outcome.reason
    )
    assert "redirects are compared, not what they point to (follow_redirects follows them)" in outcome.reason
    assert outcome.evidence["rounds"] == 60
    assert numbers(outcome)["noisy_places"] > 20
    assert stores.blue.requests == 2 * stores.green.requests


@pytest.mark.slow
def test_blue_does_not_differ_from_itself_in_a_thousand_runs(stores: Both) -> None:
    outcomes = [run(stores) for _ in range(1000)]
    assert {outcome.status for outcome in outcomes} == {Status.PASS}
    assert all(numbers(outcome)["noisy_places"] > 20 for outcome in outcomes)
    rounds = sum(numbers(outcome)["rounds"] for outcome in outcomes)
    assert stores.blue.requests + stores.green.requests == 3 * rounds
    assert 15_000 <= rounds < 17_000


def test_ignored_values_are_not_compared() -> None:
    changes = [put("version", 2), in_json(cent_off), lambda page: page.headers.update({"X-Version": "2"})]
    with both(*changes) as stores:
        everything = {"ignore": ["$.version", "$.items[?@.id == 3].price"], "ignore_headers": ["x-Version"]}
        assert run(stores, **everything).status is Status.PASS
        for name in everything:
            assert run(stores, **{**everything, name: []}).status is Status.FAIL


def test_own_addresses_are_no_difference(stores: Both) -> None:
    outcome = run(stores, requests=[{"path": "/old"}])
    assert outcome.status is Status.PASS, outcome
    with both(lambda page: page.headers.update({"Location": "/elsewhere?ticket=1"})) as moved:
        outcome = run(moved, requests=[{"path": "/old"}])
    assert (
        'header location differs in 15 of 15 rounds (blue against itself in 0): "{origin}/items" -> "/elsewhere"'
        in (outcome.reason)
    )


def test_thresholds_can_be_set() -> None:
    with both(REGRESSIONS["a key more"][0]) as stores:
        assert run(stores, absolute_percent=100).status is Status.PASS
        assert run(stores, relative_percent=100).status is Status.PASS


SECRET = "s3cret-of-the-store"


def test_secrets_are_masked() -> None:
    changes: list[Change] = [
        put("api_key", SECRET),
        in_json(lambda document: document["owner"].update(name=SECRET)),
        lambda page: page.headers.update({"X-Auth-Token": SECRET, "Location": f"/x?ticket={SECRET}"}),
        put("items", SECRET * 5),
    ]
    for change in changes:
        with both(change) as stores:
            outcome = run(stores, requests=[{"path": "/items", "headers": {"X-Api-Key": SECRET}}])
        assert outcome.status is Status.FAIL
        assert SECRET not in outcome.reason + json.dumps(dict(outcome.evidence))


def test_secrets_only_in_blue_are_masked(stores: Both) -> None:
    stores.blue.changes.append(put("password", "hunter2"))
    outcome = run(stores)
    assert "$.password differs in 15 of 15 rounds (blue against itself in 0): *** (string) -> absent" in outcome.reason


def test_long_values_are_cut_short() -> None:
    with both(put("mood", "word " * 100)) as stores:
        outcome = run(stores)
    assert f'-> "{"word " * 8}..."' in outcome.reason


def test_texts_are_compared_by_structure_and_shown_without_secrets() -> None:
    def heading(page: Page) -> None:
        page.document = page.document.replace("<h1>Store", "<h1>Shop with password=hunter2")

    with both(heading) as stores:
        outcome = run(stores, requests=[{}])
    assert (
        'GET /: /h1/text() differs in 15 of 15 rounds (blue against itself in 0): "Store" -> "Shop with password=***"'
        in outcome.reason
    )
    assert "hunter2" not in outcome.reason


@pytest.mark.parametrize(
    ("items", "change"),
    [([1, 2, 3, 5], "8 gone"), ([1, 2, 3, 5, 8, 13], "13 added"), ([1, 2, 3, 8, 5], "in another order")],
)
def test_changed_items_of_an_array_are_named(items: list[int], change: str) -> None:
    with both(put("sorted", items)) as stores:
        outcome = run(stores)
    assert f"$.sorted[*] differs in 15 of 15 rounds (blue against itself in 0): {change}" in outcome.reason


@pytest.mark.parametrize("side", ["blue", "green"])
def test_without_a_connection_to_one_side_it_is_an_error(stores: Both, side: str) -> None:
    closed = "http://127.0.0.1:9"
    blue, green = (closed, stores.green.url) if side == "blue" else (stores.blue.url, closed)
    check = CompareCheck.model_validate({**QUICK, "blue_url": blue, "connect_retries": 0})
    outcome = check.run(context(Endpoint(green, advice="open the door"), seconds=600))
    assert outcome.status is Status.ERROR
    assert outcome.reason.startswith(f"{side}: GET {closed}/ connection refused")
    assert outcome.reason.endswith("; open the door") is (side == "green")


def test_a_forbidden_address_of_blue_is_a_failure(stores: Both) -> None:
    outcome = run(stores, blue_url="http://169.254.169.254")
    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("blue: GET http://169.254.169.254/items")


@pytest.mark.parametrize("green_fails", [False, True])
def test_a_failing_blue_is_an_error(stores: Both, green_fails: bool) -> None:
    def broken(page: Page) -> None:
        page.status = 503

    stores.blue.changes.append(broken)
    stores.green.changes += [broken] if green_fails else []
    outcome = run(stores)
    assert outcome.status is Status.ERROR
    assert outcome.reason == (
        "GET /items: blue itself fails in 15 of 15 rounds (status 503), so there is no baseline for green"
    )


def test_occasional_failures_of_both_are_noise() -> None:
    def flaky(page: Page) -> None:
        page.status = 502 if page.document["coin"] and page.document["lucky"] < 3 else 200

    with both(flaky) as stores:
        stores.blue.changes.append(flaky)
        outcome = run(stores, samples=60)
    assert outcome.status is Status.PASS, outcome


def test_with_a_random_status_too_few_rounds_are_comparable(stores: Both) -> None:
    def any_status(page: Page) -> None:
        page.status = 200 + page.document["lucky"] % 5

    for store in stores:
        store.changes.append(any_status)
    outcome = run(stores, samples=20)
    assert outcome.status is Status.ERROR
    assert "both have the status 20" in outcome.reason
    assert "raise samples" in outcome.reason


def test_a_green_that_times_out_is_a_failure(serve: Serve, stores: Both) -> None:
    hanging = serve(Peer.hang)
    check = CompareCheck.model_validate({**QUICK, "blue_url": stores.blue.url, "timeout_seconds": 0.05})
    outcome = check.run(context(hanging.url, seconds=600))
    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("GET /: green fails in 15 of 15 rounds (no complete response header within")


def test_a_blue_that_times_out_is_an_error(serve: Serve, stores: Both) -> None:
    hanging = serve(Peer.hang)
    check = CompareCheck.model_validate({**QUICK, "blue_url": hanging.url, "timeout_seconds": 0.05})
    outcome = check.run(context(stores.green.url, seconds=600))
    assert outcome.status is Status.ERROR
    assert "blue itself fails in 15 of 15 rounds (no complete response header within" in outcome.reason


def test_without_time_for_all_rounds_it_is_a_failure(stores: Both) -> None:
    requests = [{"path": "/items"}, {}]
    outcome = run(stores, requests=requests, interval_seconds=0.4, budget_seconds=1)
    assert outcome.status is Status.FAIL
    assert " of 15 rounds; raise budget_seconds, or lower samples" in outcome.reason
    assert outcome.evidence["requests"] == 1
    outcome = run(stores, samples=1000, interval_seconds=0, budget_seconds=0.5)
    assert outcome.status is Status.FAIL
    assert " of 1000 rounds; raise" in outcome.reason


def test_without_time_for_one_round_it_is_a_failure(serve: Serve, stores: Both) -> None:
    outcome = run(stores, budget_seconds=0.00001)
    assert outcome.status is Status.FAIL
    assert "there was time for 0 of 15 rounds" in outcome.reason
    hanging = serve(Peer.hang)
    outcome = run(stores, blue_url=hanging.url, budget_seconds=0.3, timeout_seconds=60)
    assert outcome.status is Status.FAIL
    assert "there was time for 0 of 15 rounds" in outcome.reason


def test_a_failing_blue_is_named_when_the_time_is_over(serve: Serve, stores: Both) -> None:
    hanging = serve(Peer.hang)
    outcome = run(stores, blue_url=hanging.url, budget_seconds=1, timeout_seconds=0.2)
    assert outcome.status is Status.FAIL
    assert "blue itself fails in " in outcome.reason
    assert "raise budget_seconds" in outcome.reason


def test_it_has_to_fit_into_one_invocation() -> None:
    outcome = CompareCheck(blue_url="http://a").run(context("http://b", seconds=30))
    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "budget_seconds: the check requires 61 s, but this invocation has 30 s left; lower budget_seconds, or raise the "
        "function's Timeout"
    )


def test_blue_and_green_at_one_address_are_refused(stores: Both) -> None:
    with pytest.raises(Exception, match="blue and green resolve to the same address") as caught:
        run(stores, blue_url=stores.green.url)
    assert caught.value.outcome.status is Status.FAIL  # type: ignore[attr-defined]


def test_a_request_to_blue_that_would_reach_green_is_refused() -> None:
    test = header("X-Test", "yes")
    blue = behind("http://alb", path("/*"), before=[rule(test, priority=5)], of="blue")
    ready = CheckContext(FixedTarget(behind("http://alb", test), blue), Deadline.after(20))
    check = CompareCheck.model_validate({"budget_seconds": 1, "requests": [{"headers": {"x-test": "YES"}}]})
    with pytest.raises(Exception, match=r"GET /: blue: .*priority 5, http-header X-Test.* takes the request"):
        check.run(ready)


def test_an_api_key_that_meets_the_test_listener_rule_is_refused() -> None:
    blue = behind("http://alb:81", path("/*"), before=[rule(header("X-Test", "yes"), priority=5)], of="blue")
    ready = CheckContext(FixedTarget("http://alb", blue), Deadline.after(20))
    request = {"auth": {"api_key": {"header": "x-test", "value": "yes"}}}
    check = CompareCheck.model_validate({"budget_seconds": 1, "requests": [request]})
    with pytest.raises(Exception, match=r"GET /: blue: .*priority 5, http-header X-Test.* takes the request"):
        check.run(ready)


def test_both_get_the_credentials_which_are_masked_in_the_reason(stores: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOKE_TOKEN", "hunter2-hunter2")
    stores.green.changes.append(put("you_sent", "Bearer hunter2-hunter2"))
    requests = [{"path": "/items", "auth": {"bearer": {"token": {"env": "SMOKE_TOKEN"}}}}]
    outcome = run(stores, requests=requests)
    assert stores.blue.authorizations == stores.green.authorizations == {"Bearer hunter2-hunter2"}
    assert outcome.status is Status.FAIL
    assert "$.you_sent differs in 15 of 15 rounds" in outcome.reason
    assert "hunter2" not in repr(outcome)
    assert [each.name for each in CompareCheck.model_validate({"requests": requests}).requirements().secrets] == [
        "SMOKE_TOKEN"
    ]


def test_one_address_is_refused_whatever_the_spelling(stores: Both) -> None:
    request = {"path": "/items"}
    for fields in ({}, {"follow_redirects": True}):
        check = CompareCheck.model_validate({"blue_url": f"{stores.green.url}/", "requests": [request], **fields})
        with pytest.raises(IncomparableError, match="blue and green resolve to the same address"):
            check.run(context(stores.green.url, seconds=600))


def test_one_address_is_refused_whatever_the_credentials(stores: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "no-secret-at-all")
    signed = {"auth": {"sigv4": {"service": "execute-api", "region": "eu-west-1"}}}
    with pytest.raises(Exception, match="blue and green resolve to the same address"):
        run(stores, blue_url=stores.green.url, requests=[signed])


def test_a_request_that_does_not_match_the_listener_rule_is_a_failure() -> None:
    green = behind("http://alb", methods("POST"))
    with pytest.raises(IncomparableError, match="GET /: green: the listener rule accepts only POST, not GET") as caught:
        CompareCheck(blue_url="http://blue", budget_seconds=1).run(context(green))
    assert caught.value.outcome.status is Status.FAIL


def test_too_much_to_compare_is_a_failure_with_a_fix(serve: Serve, stores: Both) -> None:
    for store in stores:
        store.changes.append(lambda page: setattr(page, "document", {"a": [0] * 10_001}))
    with pytest.raises(Exception, match="GET /items: the JSON has more than 10000 values") as caught:
        run(stores)
    assert caught.value.outcome.status is Status.FAIL  # type: ignore[attr-defined]
    large = [serve(replying(b"x" * 1_000_000)) for _ in range(2)]
    check = CompareCheck.model_validate({**QUICK, "blue_url": large[0].url})
    with pytest.raises(Exception, match="GET /: the bodies of 12 rounds have more than 32 MiB"):
        check.run(context(large[1].url, seconds=600))


def test_unsafe_methods_are_sent_if_allowed(stores: Both) -> None:
    outcome = run(stores, requests=[{"method": "POST", "path": "/items", "json": {}}], allow_unsafe=True)
    assert outcome.status is Status.PASS, outcome
    assert {line.partition(" ")[0] for line in stores.blue.lines} == {"POST"}


def test_blue_can_have_another_host(stores: Both) -> None:
    run(stores, blue_host="shop.example.com")
    assert {line.split()[2] for line in stores.blue.lines} == {"shop.example.com"}
    assert {line.split()[2] for line in stores.green.lines} == {f"127.0.0.1:{stores.green.server_port}"}


@pytest.mark.parametrize("stage", ["RECONCILE_SERVICE", "PRE_SCALE_UP"])
def test_before_green_runs_the_check_is_refused(stage: str) -> None:
    with pytest.raises(EndpointError, match="green does not run yet"):
        CompareCheck(blue_url="http://a").run(context("http://b", stage=stage))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"requests": [{}, {"method": "POST"}]},
            r"requests\[1\].method: POST may change data, and blue, which serves ",
        ),
        (
            {"requests": [{"url": "http://a"}]},
            "not supported, because blue and green have different addresses; use path",
        ),
        ({"requests": []}, "must have 1 to 20 requests"),
        ({"samples": 14}, "greater than or equal to 15"),
        ({"ignore": ["items"]}, "'items' is not a valid JSONPath"),
        ({"blue_url": "ftp://a"}, "address must begin with http"),
        ({"relative_percent": 101}, "less than or equal to 100"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CompareCheck.model_validate(fields)


def test_requirements_come_from_the_fields() -> None:
    given = CompareCheck.model_validate({"blue_url": "http://b", "requests": [{}, {"method": "HEAD"}, {"path": "/a"}]})
    assert (given.requirements().blue, list(given.requirements().urls), list(given.requirements().methods)) == (
        False,
        ["http://b"],
        ["GET", "HEAD"],
    )
    client = {"token_url": "https://t", "client_id": "c", "client_secret": {"ssm": "/s"}}
    with_token = CompareCheck.model_validate({"requests": [{"auth": {"oauth2": client}}]})
    assert list(with_token.requirements().urls) == ["https://t"]
    shared = SharedActions.of(EndpointConfig("http://g"), Stage.POST_TEST_TRAFFIC_SHIFT, Serving(), {})
    assert with_token.requirements().iam_actions(shared) == shared.both | {"ssm:GetParameter"}
    derived = CompareCheck.model_validate({"blue_url": None, "requests": [{"url": None}]})
    assert (derived.requirements().blue, list(derived.requirements().urls), derived.requirements().listener) == (
        True,
        [],
        "test",
    )
    assert derived.requirements().running
    assert derived.requirements().seconds == 61
