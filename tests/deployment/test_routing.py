"""Contract 5.2: the rules of a listener take requests in the order of their priority."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ecs_hooks.core.outcome import Status
from ecs_hooks.deployment.endpoint import Endpoint, RoutingError
from ecs_hooks.deployment.listener import Route, Rule
from ecs_hooks.deployment.routing import Routing
from ecs_hooks.http.request import Authorization, Request
from tests.support.alb import reference_matches, some_condition, some_request
from tests.support.conditions import header, host, methods, path, query, regex, source_ip

ALB = "alb.example.com"
PREFIX = "arn:aws:elasticloadbalancing:us-west-2:1:listener-rule/app/a/b/c"
GROUP = "arn:aws:elasticloadbalancing:us-west-2:1:targetgroup"
GREEN, BLUE = (f"{GROUP}/{name}/1" for name in ("green", "blue"))


def rule(name: str, *conditions: dict[str, Any], to: Sequence[str] = (GREEN,), obstacle: str = "") -> Rule:
    """Return a rule whose name is its priority; without conditions, the default rule."""
    return Rule(f"{PREFIX}/{name}", int(name) if conditions else None, Route(tuple(to), conditions, obstacle))


DEFAULT = rule("0", to=[BLUE])


def endpoint(
    *rules: Rule, own: str = "10", others: Mapping[int, Sequence[Rule]] | None = None, **fields: Any
) -> Endpoint:
    (rule_of_green,) = (each for each in rules if each.arn.endswith(f"/{own}"))
    routing = Routing(
        rules,
        rule_of_green,
        fields.pop("target_group", GREEN),
        whose="green",
        host=ALB,
        port=8080,
        others=(others or {}).get,
        apart=f"{PREFIX}/{fields.pop('apart', '')}",
    )
    return Endpoint(f"http://{ALB}:8080", routing=routing, **fields)


def get(at: Endpoint, target: str = "/", method: str = "GET", **headers: str) -> Request:
    return at.request(method, target, {}, {name.replace("_", "-"): value for name, value in headers.items()})


def refused(at: Endpoint, target: str = "/", method: str = "GET", **headers: str) -> str:
    with pytest.raises(RoutingError) as error:
        get(at, target, method, **headers)
    assert error.value.permanent
    assert error.value.outcome.status is Status.FAIL
    return str(error.value)


ALL = path("/*")


@pytest.mark.parametrize(
    ("earlier", "target", "headers"),
    [
        (path("/health*"), "/health", {}),
        (path("/health"), "/health?a=b", {}),
        (path("/x", "/health"), "/health", {}),
        (host("shop.example.com"), "/", {"Host": "SHOP.example.com"}),
        (host("*.example.com"), "/", {}),
        (header("User-Agent", "*ecs-hooks*"), "/", {}),
        (header("X-A", "b"), "/", {"x_a": "B"}),
        (query(("a", "b")), "/?A=B", {}),
        (methods("GET"), "/", {}),
        (source_ip("0.0.0.0/0", "::/0"), "/", {}),
    ],
)
def test_an_earlier_rule_that_takes_a_request_is_refused(
    earlier: dict[str, Any], target: str, headers: dict[str, str]
) -> None:
    reason = refused(endpoint(rule("5", earlier, to=[BLUE]), rule("10", ALL), DEFAULT), target, **headers)
    shown = f"http://{ALB}:8080{target.partition('?')[0]}"
    assert reason.startswith(f"GET {shown}")
    assert f" listener-rule/app/a/b/c/5 (priority 5, {earlier['Field']}" in reason
    assert "takes the request, and forwards to target group blue, not to green alone; change the request" in reason


@pytest.mark.parametrize(
    ("earlier", "target", "headers"),
    [
        (path("/health*"), "/api", {}),
        (path("/health"), "/Health", {}),
        (path("/health"), "/health/", {}),
        (host("shop.example.com"), "/", {}),
        (header("X-A", "b"), "/", {}),
        (query(("a", "b")), "/?a=c", {}),
        (methods("POST", "get"), "/", {}),
    ],
)
def test_an_earlier_rule_that_cannot_take_a_request_does_not_matter(
    earlier: dict[str, Any], target: str, headers: dict[str, str]
) -> None:
    assert get(endpoint(rule("5", earlier, to=[BLUE]), rule("10", ALL), DEFAULT), target, **headers)


@pytest.mark.parametrize("earlier", [source_ip("10.0.0.0/8"), regex(path("^/h")), {"Field": "of-2030"}])
def test_an_earlier_rule_that_may_take_a_request_is_refused(earlier: dict[str, Any]) -> None:
    at = endpoint(rule("5", earlier, to=[BLUE]), rule("10", ALL), DEFAULT)
    assert "may take the request, and forwards to target group blue" in refused(at, "/health")
    assert get(endpoint(rule("5", earlier), rule("10", ALL), DEFAULT), "/health")
    both = endpoint(rule("5", earlier, methods("POST"), to=[BLUE]), rule("10", ALL), DEFAULT)
    assert get(both, "/health")


@pytest.mark.parametrize(
    ("to", "obstacle", "text"),
    [
        ([BLUE, GREEN], "", "forwards to target group blue and target group green, not to green alone"),
        ([f"{GROUP}/other/1"], "", "forwards to target group other, not to green alone"),
        ([], "", "forwards to no target group"),
        ([], "fixed-response", "has the action fixed-response and does not forward to a target group"),
        ([], "redirect", "has the action redirect and does not forward to a target group"),
        ([GREEN], "authenticate-oidc", "has the action authenticate-oidc before it forwards"),
        ([GREEN], "jwt-validation", "has the action jwt-validation before it forwards"),
    ],
)
def test_a_rule_must_forward_to_green_alone(to: list[str], obstacle: str, text: str) -> None:
    at = endpoint(rule("5", path("/health"), to=to, obstacle=obstacle), rule("10", ALL), DEFAULT)
    assert text in refused(at, "/health")
    assert get(at, "/other")


def test_a_later_rule_does_not_matter() -> None:
    at = endpoint(rule("10", ALL), rule("20", path("/health"), to=[BLUE]), DEFAULT)
    assert get(at, "/health")


def test_a_default_rule_of_green_comes_after_all_others() -> None:
    default = rule("10", to=[GREEN])
    at = endpoint(rule("5", path("/health"), to=[BLUE]), default)
    assert get(at, "/")
    assert "priority 5" in refused(at, "/health")


def test_a_rule_that_only_may_match_is_refused_if_the_next_one_does_not_lead_to_green() -> None:
    own = rule("10", regex(path("^/h")))
    assert "is not certain to match" in refused(endpoint(own, DEFAULT), "/health")
    unsure = rule("10", header("Cookie", "b*"))
    text = "listener-rule/app/a/b/c/0 (the default rule) may take the request"
    at = endpoint(unsure, DEFAULT)
    sent = get(at, "/", Cookie="b")
    with pytest.raises(RoutingError) as error:
        sent._replace(headers={**sent.headers, "Cookie": "b\xe9"}).verify()
    assert text in str(error.value)
    assert "not certain to match http-header Cookie of listener-rule/app/a/b/c/10; change the request" in str(
        error.value
    )
    with pytest.raises(RoutingError, match="takes the request, and forwards to target group blue"):
        sent._replace(headers={}).verify()
    assert get(endpoint(unsure, rule("0", to=[GREEN])), "/", Cookie="b")


def test_a_request_that_another_rule_of_green_takes_is_sent_as_it_is_written() -> None:
    rules = [rule("5", path("/admin/*")), rule("10", path("/api/*")), DEFAULT]
    at = endpoint(*rules)
    assert get(at, "/admin/x").url.target == "/admin/x"
    assert get(at, "/x").url.target == "/api/x"
    # The other of the two rules that ECS changes forwards to green for a time only.
    assert get(endpoint(*rules, apart="5"), "/admin/x").url.target == "/api/admin/x"
    # A default rule has no conditions that the request was written for.
    assert get(endpoint(*rules[:2], rule("0", to=[GREEN])), "/x").url.target == "/api/x"
    assert get(endpoint(rule("5", source_ip("10.0.0.0/8")), *rules[1:]), "/x").url.target == "/api/x"


def test_what_is_added_may_avoid_an_earlier_rule() -> None:
    at = endpoint(rule("5", path("/health"), to=[BLUE]), rule("10", path("/test/*")), DEFAULT)
    assert get(at, "/health").url.target == "/test/health"
    at = endpoint(rule("5", path("/test/health"), to=[BLUE]), rule("10", path("/test/*")), DEFAULT)
    assert "priority 5" in refused(at, "/health")


def test_in_a_future_deployment_the_rule_of_green_alone_will_forward_to_green() -> None:
    at = endpoint(rule("5", path("/a")), rule("10", ALL, to=[BLUE]), DEFAULT, target_group="")
    assert get(at, "/b")
    assert "priority 5" in refused(at, "/a")


def test_a_listener_whose_rules_take_nothing_is_refused() -> None:
    at = endpoint(rule("10", path("/a", "/c/*")))
    assert get(at, "/d").url.target == "/c/d"
    sent = get(at, "/a")
    with pytest.raises(RoutingError, match="no rule of the listener takes the request"):
        sent._replace(url=sent.url._replace(target="/b")).verify()


def test_the_methods_that_the_rule_accepts() -> None:
    assert endpoint(rule("10", ALL, methods("GET", "HEAD")), DEFAULT).methods == ("GET", "HEAD")
    assert endpoint(rule("10", ALL), DEFAULT).methods == ()
    assert Endpoint("http://a").methods == ()


def test_a_request_is_verified_as_it_is_sent() -> None:
    at = endpoint(rule("5", header("X-Key", "k"), to=[BLUE]), rule("10", ALL), DEFAULT)
    sent = at.request("GET", "/", {}, {}, auth=None)
    for _ in range(2):
        sent.verify()
        with pytest.raises(RoutingError, match="http-header X-Key"):
            sent._replace(headers={**sent.headers, "x-key": "K"}).verify()
    with pytest.raises(RoutingError, match="http-header X-Key"):
        at.request("GET", "/", {}, {}, auth=Authorization(headers={"X-Key": "k"}))


def test_each_step_of_a_redirect_is_verified() -> None:
    at = endpoint(rule("5", path("/health"), to=[BLUE]), rule("10", ALL), DEFAULT, host="shop.example.com")
    sent = get(at, "/")
    sent.redirected(302, "/ok").verify()
    sent.redirected(302, f"http://{ALB}:8080/ok").verify()
    for location in ("/health", f"http://{ALB}:8080/health", "http://shop.example.com/health"):
        with pytest.raises(RoutingError, match="priority 5, path-pattern /health"):
            sent.redirected(302, location).verify()
    form = at.request("POST", "/", {}, {})
    form.redirected(303, "/ok").verify()
    strict = endpoint(rule("5", methods("GET"), to=[BLUE]), rule("10", ALL), DEFAULT)
    turned_into_get = strict.request("POST", "/", {}, {}).redirected(303, "/ok")
    with pytest.raises(RoutingError, match="http-request-method"):
        turned_into_get.verify()


def test_a_redirect_to_another_listener_of_the_load_balancer_must_reach_green() -> None:
    others = {80: [rule("7", path("/ok")), DEFAULT], 443: [DEFAULT]}
    at = endpoint(rule("10", ALL), DEFAULT, others=others, host="shop.example.com")
    sent = get(at, "/")
    sent.redirected(302, f"http://{ALB}/ok").verify()
    for location in (f"http://{ALB}/x", f"https://{ALB}/ok", "https://SHOP.example.com/ok"):
        with pytest.raises(RoutingError, match=r"takes the request, and .*; do not follow the redirect"):
            sent.redirected(302, location).verify()
    # Not this load balancer's.
    for location in ("https://login.example.com/", "https://login.example.com/again"):
        sent.redirected(302, location).verify()
    sent.redirected(302, f"http://{ALB}:9/").verify()


def test_many_different_requests_are_verified_too() -> None:
    at = endpoint(rule("5", path("/health*"), to=[BLUE]), rule("10", ALL), DEFAULT)
    sent = get(at, "/")
    for number in range(1_100):
        sent._replace(url=sent.url._replace(target=f"/{number}")).verify()
    with pytest.raises(RoutingError):
        sent._replace(url=sent.url._replace(target="/health2")).verify()


def test_random_rules_and_requests_agree_with_a_simple_reference() -> None:
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    sent = refusals = 0
    for _ in range(2_000):
        rules = [
            rule(
                str(priority),
                *(some_condition(draw) for _ in range(draw.randint(1, 2))),
                to=[draw.choice([GREEN, BLUE])],
            )
            for priority in sorted(draw.sample([1, 2, 3, 10, 20, 100], draw.randint(0, 4)))
        ]
        default = rule("0", to=[draw.choice([GREEN, BLUE])])
        if draw.random() < 0.7:
            own = rule("50", *(some_condition(draw) for _ in range(draw.randint(1, 2))))
            ordered = [*sorted([*rules, own], key=priority_of), default]
        else:
            own = rule("0")
            ordered = [*rules, own]
        as_written = some_request(draw)
        at = endpoint(*ordered, own=own.arn.rpartition("/")[2])
        names = {name: value for name, value in as_written.headers.items() if name in {"X-A", "X-B", "Accept", "Host"}}
        try:
            request = at.request(as_written.method, as_written.url.target, {}, names)
        except RoutingError:
            refusals += 1
            assert taker(ordered, as_written) is not own, (seed, ordered, as_written)
        else:
            sent += 1
            assert taker(ordered, request).route.target_groups == (GREEN,), (seed, ordered, request)
            if taker(ordered, as_written) is own:
                assert request.url.target == as_written.url.target, (seed, ordered, request)
                assert request.headers == as_written.headers, (seed, ordered, request)
    assert min(sent, refusals) > 200


def priority_of(each: Rule) -> float:
    return math.inf if each.priority is None else each.priority


def taker(rules: Sequence[Rule], of: Request) -> Rule:
    """Return the first rule that a request matches."""
    return next(each for each in rules if all(reference_matches(c, of) for c in map(dict, each.route.conditions)))
