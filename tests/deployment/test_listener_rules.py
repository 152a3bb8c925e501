"""Every kind of request goes to green alone by the rules of its listener, over a load balancer on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Hook, Stage, lifecycle_hook, stage_hook
from ecs_hooks.deployment.listener import ListenerArn
from tests.conftest import load_event
from tests.http.fixtures import Serve
from tests.http.servers import Peer
from tests.support.aws import AwsApi
from tests.support.conditions import header, path, query, source_ip
from tests.support.layouts import (
    BLUE_GROUP,
    GREEN_GROUP,
    LISTENER,
    PRODUCTION_RULE,
    TEST_RULE,
    by_listener,
    forward,
    load_balancer,
    revision,
    rule,
)

HEALTH = path("/health*")
TESTED = Stage.POST_TEST_TRAFFIC_SHIFT


class Alb:
    """A load balancer on loopback that answers everything with 200 and redirects to what comes after /to."""

    def __init__(self, aws: AwsApi, serve: Serve) -> None:
        self.aws = aws
        self.lines: list[str] = []
        self.port = int(serve(self._script).port)
        load_balancer(aws, "HTTP", self.port, "127.0.0.1")

    def _script(self, peer: Peer) -> None:
        while request := peer.request().decode():
            line = request.partition(" HTTP/1.1")[0]
            self.lines.append(line)
            target = line.partition(" ")[2]
            if "/to" in target:
                peer.answer(b"", f"Location: {target.partition('/to')[2].partition('?')[0]}", status="302 Found")
            else:
                peer.answer()

    def rules(self, *rules: dict[str, Any], default: tuple[str, ...] = (BLUE_GROUP,)) -> None:
        """Have the test listener have these rules."""
        described = [each["Rules"][0] for each in rules]
        self.aws.answer("DescribeRules", {"Rules": [*described, rule(to=default, arn=f"{TEST_RULE}d")["Rules"][0]]})

    def run(self, *checks: dict[str, Any], stage: Stage = TESTED) -> dict[str, Any]:
        answer: dict[str, Any] = stage_hook(stage)(
            load_event(lifecycleStage=stage, hookDetails={"checks": list(checks)})
        )
        return answer


@pytest.fixture
def alb(aws: AwsApi, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Alb:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    return Alb(aws, serve)


def own(*conditions: dict[str, Any]) -> dict[str, Any]:
    return rule(*(conditions or [path("/*")]))


def earlier(*conditions: dict[str, Any], to: tuple[str, ...] = (BLUE_GROUP,)) -> dict[str, Any]:
    return rule(*conditions, to=to, arn=f"{TEST_RULE}e", priority=5)


@pytest.mark.parametrize(
    ("condition", "check", "line"),
    [
        (path("/api/*"), {"path": "/api/health"}, "GET /api/health"),
        (path("/api/*"), {"path": "/health"}, "GET /api/health"),
        (path("/health"), {"path": "/health"}, "GET /health"),
        (header("X-Color", "gr*"), {"path": "/", "headers": {"X-Color": "green"}}, "GET /"),
        (query(("v", "2*")), {"path": "/?v=22"}, "GET /?v=22"),
        (query(("v", "2")), {"query": {"V": 2}}, "GET /?V=2"),
        (query(("v", "2")), {"path": "/a"}, "GET /a?v=2"),
    ],
)
def test_b05_b06_a_request_that_meets_the_condition_is_sent_as_it_is(
    alb: Alb, condition: dict[str, Any], check: dict[str, Any], line: str
) -> None:
    alb.rules(own(condition))
    answer = alb.run({"type": "http", **check})
    assert answer["hookStatus"] == "SUCCEEDED", answer
    assert alb.lines == [line]


CHECKS: dict[str, dict[str, Any]] = {
    "http": {"type": "http", "path": "/health"},
    "http that polls": {"type": "http", "path": "/health", "until": {"timeout_seconds": 60}},
    "samples": {"type": "http", "path": "/health", "samples": {"count": 3}},
    "scenario": {"type": "scenario", "budget_seconds": 5, "requests": [{"path": "/health/live"}]},
    "load": {"type": "load", "duration_seconds": 1, "timeout_seconds": 2, "requests": [{}, {"path": "/healthy"}]},
    "compare": {"type": "compare", "budget_seconds": 5, "requests": [{"path": "/health"}]},
}


@pytest.mark.parametrize("kind", CHECKS)
def test_a_request_that_an_earlier_rule_takes_is_not_sent(alb: Alb, kind: str) -> None:
    described = [*earlier(HEALTH)["Rules"][:1], *own()["Rules"]]
    production = rule(path("/*"), to=(BLUE_GROUP,), arn=PRODUCTION_RULE)
    of_test = {each["RuleArn"]: {"Rules": [each]} for each in described}
    alb.aws.answer("DescribeRules", by_listener({**of_test, PRODUCTION_RULE: production}))

    answer = alb.run(CHECKS[kind])
    assert answer["hookStatus"] == "FAILED", answer
    assert (
        "9683b2d02a6cabeee (priority 5, path-pattern /health*) takes the request, and forwards to target group primary"
        in answer["reason"]
    )
    assert not alb.lines


@pytest.mark.parametrize(
    ("condition", "verb"), [(HEALTH, "takes"), (source_ip("10.0.0.0/8"), "may take"), ({"Field": "x"}, "may take")]
)
@pytest.mark.parametrize("action", ["forward", "fixed-response", "redirect"])
def test_whatever_an_earlier_rule_does_but_forward_to_green_is_refused(
    alb: Alb, condition: dict[str, Any], verb: str, action: str
) -> None:
    actions = forward(BLUE_GROUP, GREEN_GROUP) if action == "forward" else [{"Type": action}]
    alb.rules({"Rules": [{**earlier(condition)["Rules"][0], "Actions": actions}]}, own())
    answer = alb.run({"type": "http", "path": "/health"})
    assert answer["hookStatus"] == "FAILED"
    assert f"{verb} the request, and " in answer["reason"]
    assert not alb.lines
    alb.rules(earlier(condition, to=(GREEN_GROUP,)), own())
    assert alb.run({"type": "http", "path": "/health"})["hookStatus"] == "SUCCEEDED"


def test_a_redirect_to_a_path_of_an_earlier_rule_is_not_followed(alb: Alb) -> None:
    alb.rules(earlier(HEALTH), own())
    follow = {"type": "http", "path": "/to/health", "follow_redirects": True}
    answer = alb.run(follow)
    assert answer["hookStatus"] == "FAILED"
    assert "/health listener-rule/" in answer["reason"]
    assert "(priority 5, path-pattern /health*) takes the request" in answer["reason"]
    scenario = {
        "type": "scenario",
        "budget_seconds": 5,
        "requests": [{"path": "/ok"}, {"path": "/to/health", "follow_redirects": True}],
    }
    assert "priority 5" in alb.run(scenario)["reason"]
    assert alb.lines == ["GET /to/health", "GET /ok", "GET /to/health"]
    assert alb.run({**follow, "path": "/to/ok"})["hookStatus"] == "SUCCEEDED"


def test_a_redirect_that_leaves_the_rule_of_green_is_not_followed(alb: Alb) -> None:
    alb.rules(own(path("/test/*")))
    answer = alb.run({"type": "http", "path": "/to/login", "follow_redirects": True})
    assert answer["hookStatus"] == "FAILED"
    assert alb.lines == ["GET /test/to/login"]
    alb.rules(own(query(("v", "2"))))
    answer = alb.run({"type": "http", "path": "/to/login", "follow_redirects": True})
    assert "not certain to match query-string v of listener-rule/" in answer["reason"]
    assert alb.lines[-1] == "GET /to/login?v=2"


def test_a_redirect_to_the_production_listener_of_the_same_load_balancer_is_not_followed(
    alb: Alb, serve: Serve
) -> None:
    blue_lines: list[bytes] = []

    def answer_of_blue(peer: Peer) -> None:
        blue_lines.append(peer.request())
        peer.answer()

    port = serve(answer_of_blue).port
    production = ListenerArn.parse(PRODUCTION_RULE).listener
    listeners = [
        {"ListenerArn": LISTENER, "Protocol": "HTTP", "Port": alb.port},
        {"ListenerArn": production, "Protocol": "HTTP", "Port": port},
    ]
    alb.aws.answer(
        "DescribeListeners", lambda asked: {"Listeners": listeners if "LoadBalancerArn" in asked else listeners[:1]}
    )
    follow = {"type": "http", "path": f"/tohttp://127.0.0.1:{port}/a", "follow_redirects": True}
    alb.aws.answer("DescribeRules", by_listener({TEST_RULE: rule(), PRODUCTION_RULE: rule(to=(BLUE_GROUP,))}))
    answer = alb.run(follow)
    assert answer["hookStatus"] == "FAILED"
    assert "(the default rule) takes the request, and forwards to target group primary" in answer["reason"]
    assert not blue_lines
    alb.aws.answer("DescribeRules", by_listener({TEST_RULE: rule(), PRODUCTION_RULE: rule()}))
    assert alb.run(follow)["hookStatus"] == "SUCCEEDED"
    assert len(blue_lines) == 1


@pytest.mark.parametrize("name", ["localhost", "127.1"])
def test_a_redirect_to_another_name_of_the_load_balancer_is_verified(alb: Alb, name: str) -> None:
    alb.rules(earlier(HEALTH), own())
    check = {"type": "http", "follow_redirects": True, "path": f"/to//{name}:{alb.port}/health"}
    answer = alb.run(check)
    assert answer["hookStatus"] == "FAILED"
    assert f"http GET http://{name}:{alb.port}/health listener-rule/" in answer["reason"]
    assert "(priority 5, path-pattern /health*) takes the request" in answer["reason"]
    request = {field: value for field, value in check.items() if field != "type"}
    assert "priority 5" in alb.run({"type": "scenario", "budget_seconds": 5, "requests": [request]})["reason"]
    assert len(alb.lines) == 2
    assert alb.run({**check, "path": f"/to//{name}:{alb.port}/a"})["hookStatus"] == "SUCCEEDED"


def test_a_redirect_to_a_name_without_an_address_is_an_error(alb: Alb) -> None:
    alb.rules(own())
    check = {"type": "http", "follow_redirects": True, "connect_retries": 0, "path": "/to//nowhere.invalid/a"}
    assert "nowhere.invalid can't be resolved" in alb.run(check)["reason"]


def test_rules_are_read_once_for_all_checks_of_an_invocation(alb: Alb) -> None:
    alb.rules(own())
    assert alb.run(*({"type": "http", "path": f"/{name}"} for name in "abc"))["hookStatus"] == "SUCCEEDED"
    assert alb.aws.asked["DescribeRules"] == [{"ListenerArn": LISTENER}]


def test_the_production_listener_has_rules_too(alb: Alb) -> None:
    described = rule(path("/*"), arn=PRODUCTION_RULE)["Rules"]
    before = {
        **described[0],
        "RuleArn": f"{PRODUCTION_RULE}e",
        "Priority": "9",
        "Actions": [{"Type": "fixed-response"}],
    }
    alb.aws.answer("DescribeRules", {"Rules": [*described, {**before, "Conditions": [HEALTH]}]})
    check = {"type": "http", "listener": "production", "path": "/health"}
    after = Stage.POST_PRODUCTION_TRAFFIC_SHIFT
    answer = alb.run(check, stage=after)
    assert (
        "(priority 9, path-pattern /health*) takes the request, and has the action fixed-response" in answer["reason"]
    )
    assert alb.run({**check, "path": "/a"}, stage=after)["hookStatus"] == "SUCCEEDED"
    alb.aws.answer("DescribeServiceRevisions", {"serviceRevisions": [revision(test="")]})
    assert "priority 9" in alb.run({"type": "http", "path": "/health"}, stage=after)["reason"]


def test_a_custom_hook_sends_requests_to_green_alone(alb: Alb) -> None:
    alb.rules(earlier(HEALTH), own(path("/api/*", "/health*")))

    @lifecycle_hook
    def handler(hook: Hook) -> None:
        assert hook.green.get("/a").status == 200
        hook.green.get("/api/b", headers={"X-A": "b"}, query={"c": 1})
        hook.green.get("/health")

    answer = handler(load_event(lifecycleStage=TESTED))
    assert answer["hookStatus"] == "FAILED"
    assert "priority 5, path-pattern /health*" in answer["reason"]
    assert alb.lines == ["GET /api/a", "GET /api/b?c=1"]
