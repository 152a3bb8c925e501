"""What users write with `ecs_hooks.checks`; mypy checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Literal, assert_type

from ecs_hooks import Hook, Outcome, lifecycle_hook
from ecs_hooks.checks import (
    CHECKS,
    AlarmCheck,
    ApiKey,
    Assertion,
    AtStep,
    Auth,
    Basic,
    Bearer,
    Capture,
    Check,
    CheckContext,
    CompareCheck,
    ComparedMetric,
    CompareRequest,
    ComparisonCheck,
    Condition,
    DigestCheck,
    DriftCheck,
    Effect,
    Expect,
    Filter,
    GoldenSignalsCheck,
    HttpCheck,
    IgnoredText,
    InvokeCheck,
    LoadCheck,
    LoadRequest,
    LogsCheck,
    MetricCheck,
    MetricQuery,
    MutualTls,
    OAuth2,
    Part,
    Predicate,
    Reference,
    RegexReplacement,
    Replacement,
    Requirements,
    Retry,
    Samples,
    ScenarioCheck,
    ScenarioRequest,
    SigV4,
    TargetsCheck,
    TasksCheck,
    TcpBody,
    TcpCheck,
    TcpExpect,
    Until,
    Watch,
    check_class,
)


class QueueCheck(Check):
    """A check of one's own."""

    type: Literal["queue"] = "queue"
    url: str
    max_messages: int = 100

    def requirements(self) -> Requirements:
        required = super().requirements()
        assert_type(required, Requirements)
        return required._replace(actions=frozenset({"sqs:GetQueueAttributes"}), urls=(self.url,), seconds=5)

    def run(self, context: CheckContext) -> Outcome:
        assert_type(context.region, str)
        assert_type(context.stage, str)
        assert_type(context.elapsed, float)
        assert_type(context.green.base_url, str)
        assert_type(context.green_percent, float | None)
        assert_type(context.deadline.remaining(), float)
        messages = len(context.checks)
        if messages > self.max_messages:
            return Outcome.failed("too many messages", {"messages": messages, "messages_limit": self.max_messages})
        return Outcome.passed()


@lifecycle_hook
def hook_with_checks(hook: Hook) -> Generator[Check | Sequence[Check], Any, Outcome | None]:
    outcome: Outcome = yield QueueCheck(url="https://sqs.us-west-2.amazonaws.com/1/queue")
    both: list[Outcome] = yield [AlarmCheck(names=("api-5xx",)), *http_checks()]
    return hook.failed(outcome.reason) if len(both) > 1 else None


@lifecycle_hook
def hook_without_annotation(hook: Hook):  # type: ignore[no-untyped-def]
    yield HttpCheck(path="/health")
    return hook.passed()


def http_checks() -> list[Check]:
    not_empty = Assertion(query="jsonpath", path="$.orders", filters=("count", Filter(nth=0)), min=1)
    expect = Expect(
        status=["2xx", 304],
        headers={"Content-Type": Predicate(matches="json")},
        json={"$.status": Predicate(equals="ok")},
        max_latency_ms=500,
        asserts=(not_empty, Assertion(query="header", name="Cache-Control", exists=False, warn=True)),
    )
    assert_type(expect, Expect)
    assert_type(expect.max_latency_ms, float | None)
    cleaned = (
        Filter(replace=Replacement(old="a", new="b")),
        Filter(replace_regex=RegexReplacement(pattern="a", new="b")),
    )
    check = HttpCheck(name="orders", path="/orders", expect=expect, until=Until(timeout_seconds=60))
    assert_type(check, HttpCheck)
    assert_type(check.until, Until | None)
    assert_type(check.label, str)
    assert_type(check.at(10), HttpCheck)
    return [
        check,
        HttpCheck(method="POST", path="/process", multipart={"file": Part(filename="a.txt", content="hello")}),
        HttpCheck(samples=Samples(count=100, max_p99_ms=300), headers={"X-Key": Reference(ssm="/key")}),
        HttpCheck(watch=Watch(for_minutes=5), steps=(AtStep(up_to_percent=10),)),
        HttpCheck(expect=Expect(asserts=(Assertion(query="body", filters=cleaned, equals="b"),))),
        *(HttpCheck(url="https://example.com/", auth=auth) for auth in auths()),
    ]


def auths() -> list[Auth]:
    secret = Reference(secretsmanager="token", key="value")
    return [
        Auth(basic=Basic(username="user", password=secret)),
        Auth(bearer=Bearer(token=secret)),
        Auth(api_key=ApiKey(header="X-Api-Key", value=secret)),
        Auth(oauth2=OAuth2(token_url="https://example.com/token", client_id="id", client_secret=secret)),
        Auth(sigv4=SigV4(service="execute-api")),
        Auth(mutual_tls=MutualTls(certificate=secret, private_key=secret)),
    ]


def other_checks() -> tuple[Check, ...]:
    login = ScenarioRequest(path="/login", captures={"token": Capture(query="jsonpath", path="$.token")})
    errors = ComparedMetric(metric="HTTPCode_Target_5XX_Count", stat="Sum", per="RequestCount", over_window="median")
    latency = ComparedMetric(metric="TargetResponseTime", critical_effect=Effect(mean_ratio=2))
    queries = {"requests": MetricQuery(namespace="AWS/ApplicationELB", metric="RequestCount")}
    return (
        AlarmCheck(prefix="api-", already_alarming="ignore"),
        CompareCheck(requests=(CompareRequest(path="/orders"),), ignore=("$.at", IgnoredText(matches="build [0-9]+"))),
        ComparisonCheck(metrics=(errors, latency), baseline="previous"),
        DigestCheck(header="X-Version"),
        DriftCheck(),
        GoldenSignalsCheck(max_5xx_percent=1),
        InvokeCheck(function="smoke-test", payload={"a": 1}),
        LoadCheck(requests=(LoadRequest(path="/", weight=3, expect=Expect(status="2xx")),)),
        LogsCheck(pattern="?ERROR"),
        MetricCheck(queries=queries, fail_if=Condition(above=100)),
        ScenarioCheck(requests=(login, ScenarioRequest(path="/orders", until=Retry(timeout_seconds=30)))),
        TargetsCheck(min_healthy=2),
        TasksCheck(max_failed=1),
        TcpCheck(port=6379, send="PING\r\n", expect=TcpExpect(body=TcpBody(contains="PONG"))),
    )


def registry() -> None:
    assert_type(CHECKS, dict[str, str])
    assert_type(check_class("http"), type[Check])
    CHECKS["queue"] = "my_checks:QueueCheck"
