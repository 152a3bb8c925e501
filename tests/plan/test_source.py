"""Plans that are kept elsewhere: read through the handler, from AWS over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecs_hooks import Hook, Outcome, Stage, lifecycle_hook, stage_hook
from ecs_hooks.handler import LifecycleHandler
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.source import MAX_BYTES, PlanReference
from tests.conftest import BLUE, GREEN, load_event, shifted
from tests.http.behaviours import slow_to_decode
from tests.http.test_content_encoding import COMPRESS
from tests.support.aws import AwsApi, Silence
from tests.support.checks import Fixed

S3 = "s3://plans/shop/orders.json"
SSM = "ssm:/shop/plan"
HOOK = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, [Fixed()])

Keep = Callable[..., str]


class Context:
    """Lambda's context, with so much time left."""

    invoked_function_arn = ""

    def __init__(self, seconds: float) -> None:
        self._milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@pytest.fixture(params=[S3, SSM])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def keep(aws: AwsApi, place: str) -> Keep:
    """Keep a plan at the place, and return the place."""

    def put(plan: Any) -> str:
        text = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
        aws.answer("GetObject", {"Body": text})
        aws.answer("GetParameter", {"Parameter": {"Value": text.decode(errors="replace")}})
        return place

    return put


def ask(details: Any, hook: LifecycleHandler = HOOK, *, seconds: float = 20, **changes: Any) -> dict[str, Any]:
    return hook(load_event(hookDetails=details, **changes), Context(seconds))


def reason(details: Any, **options: Any) -> str:
    answer = ask(details, **options)
    assert answer["hookStatus"] == "FAILED", answer
    return str(answer["reason"])


def operation(place: str) -> str:
    return "GetObject" if place == S3 else "GetParameter"


def test_the_plan_is_asked_for_where_it_is_kept(
    aws: AwsApi, keep: Keep, httpd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    place = keep({"base_url": httpd, "checks": [{"type": "http", "name": "orders", "path": "/orders"}]})

    assert ask({"plan": place})["reason"].endswith(f": 1 passed; plan {place}")
    (asked,) = aws.asked[operation(place)]
    wanted: dict[str, dict[str, Any]] = {
        S3: {"Bucket": "plans", "Key": "shop/orders.json"},
        SSM: {"Name": "/shop/plan", "WithDecryption": True},
    }
    assert wanted[place].items() <= asked.items()
    assert ask({"plan": place})["hookStatus"] == "SUCCEEDED"
    assert aws.calls[operation(place)] == 2


def test_without_checks_those_of_the_stage_are_made(keep: Keep) -> None:
    place = keep({"error_limit": 3})
    assert ask({"plan": place})["reason"].endswith(f": 1 passed; default checks, since {place} has no checks")
    assert "this function has the default checks of POST_TEST" in reason(
        {"plan": keep({})}, lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT"
    )


def test_fields_beside_it_stand_in_for_those_of_the_plan(keep: Keep) -> None:
    place = keep({"checks": [{"type": "http", "url": "http://127.0.0.1:1/", "connect_retries": 0}], "error_limit": 1})

    assert "is a loopback address" in reason({"plan": place})
    observed = ask({"plan": place, "mode": "observe"})
    assert observed["hookStatus"] == "SUCCEEDED"
    assert "observe mode; the answer would have been FAILED" in observed["reason"]


def test_mode_observe_holds_wherever_it_stands(keep: Keep) -> None:
    assert ask({"plan": keep({"mode": "observe", "checks": [{}]})})["hookStatus"] == "SUCCEEDED"
    assert ask({"plan": keep({"mode": "observe", "checks": [{}]}), "mode": "enforce"})["hookStatus"] == "FAILED"


@pytest.mark.parametrize(
    ("plan", "beside", "says"),
    [
        ({"checks": [{"type": "htp"}]}, {}, "{}: checks[0].type: is not one of the allowed values"),
        ({"checks": [{"type": "http", "pth": 1}]}, {}, "{}: checks[0].pth: unknown field; did you mean 'path'?"),
        (
            {"mode": "obsrve"},
            {},
            "{}: mode: is not one of the allowed values (enforce, observe); did you mean 'observe'?",
        ),
        ({"chekcs": []}, {}, "{}: chekcs: unknown field; did you mean 'checks'?"),
        ({"ecsHooks": {}}, {}, "{}: ecsHooks: unknown field"),
        ({"plan": S3}, {}, "{}: plan: a stored plan cannot have the location of another plan"),
        ([], {}, '{}: must be a JSON object such as {{"checks": [...]}}, not array'),
        (b"checks: []", {}, "{}: is not JSON: Expecting value, line 1 column 1"),
        (b"[" * 100_000, {}, "{}: is nested too deeply"),
        (b'{"timeout_minutes": %s}' % (b"9" * 5000), {}, "{}: has a number that is too large (5000 characters)"),
        (b'{"timeout_minutes": -1e400}', {}, "{}: has a number that is too large (6 characters)"),
        (b'{"timeout_minutes": NaN}', {}, "{}: is not JSON: NaN is not a number of JSON"),
        (b'{"checks": [], "checks": []}', {}, "{}: has the key 'checks' twice in one object"),
        (
            {"checks": [{"type": "http", "watch": {"for_minutes": 60}}]},
            {},
            "{}: timeout_minutes: must be greater than 60, the minutes for which http watches, not 30",
        ),
        (
            {"checks": [{"type": "http", "watch": {"for_minutes": 60}}], "timeout_minutes": 90},
            {"timeout_minutes": 45},
            "hookDetails.timeout_minutes: must be greater than 60, the minutes for which http watches, not 45",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(keep: Keep, plan: Any, beside: Any, says: str) -> None:
    place = keep(plan)
    assert f"the plan is not valid: {says.format(place)}" in reason({"plan": place, **beside})


@pytest.mark.parametrize(
    ("details", "says"),
    [
        (
            {"checks": [{"type": "http"}]},
            "hookDetails.checks: conflicts with plan, which is the location of the checks",
        ),
        ({"mode": "obsrve"}, "hookDetails.mode: is not one of the allowed values (enforce, observe)"),
        ({"chekcs": []}, "hookDetails.chekcs: unknown field"),
    ],
)
def test_a_mistake_beside_it_is_told_before_anybody_is_asked(
    aws: AwsApi, keep: Keep, details: dict[str, Any], says: str
) -> None:
    assert f"the plan is not valid: {says}" in reason({"plan": keep({}), **details})
    assert not aws.calls["GetObject"] + aws.calls["GetParameter"]


@pytest.mark.parametrize(
    "wrong", ["plans/a.json", "s3:/plans/a", "s3://plans", "s3://plans/", "s3://PLANS/a", "ssm:", "ssm:a b", "", 5, {}]
)
def test_a_place_that_is_none(wrong: Any) -> None:
    with pytest.raises(PlanError, match=r"^hookDetails\.plan: "):
        Plan.parse({"plan": wrong})
    assert "the plan is not valid: hookDetails.plan: " in reason({"plan": wrong})


def test_places() -> None:
    assert PlanReference.of("s3://b-1.x/a/b c:d.json")[2:] == ("b-1.x", "a/b c:d.json")
    arn = "arn:aws:ssm:us-west-2:123456789012:parameter/a"
    assert PlanReference.of(f"ssm:{arn}") == (f"ssm:{arn}", "ssm:GetParameter", "", arn)


def test_a_plan_is_text_of_a_certain_size(aws: AwsApi) -> None:
    aws.answer("GetObject", {"Body": b'{"a": "\xff"}'})
    assert f"{S3}: is not JSON: its text is not UTF-8" in reason({"plan": S3})

    aws.answer("GetObject", {"Body": '{"checks": []}'.encode("utf-16")})
    assert f"{S3}: is not JSON: it is UTF-16 or UTF-32, without a charset that says so" in reason({"plan": S3})

    aws.answer("GetObject", {"Body": b'\xef\xbb\xbf{"checks": []}'})
    assert ask({"plan": S3})["hookStatus"] == "SUCCEEDED"

    room = MAX_BYTES - len('{"checks": []}')
    aws.answer("GetObject", {"Body": b'{"checks": []}' + b" " * room})
    assert ask({"plan": S3})["hookStatus"] == "SUCCEEDED"
    aws.answer("GetObject", {"Body": b'{"checks": []}' + b" " * (room + 1)})
    assert f"{S3}: must have at most {MAX_BYTES} bytes, not {MAX_BYTES + 1}" in reason({"plan": S3})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity"])
def test_a_compressed_object_is_decoded(aws: AwsApi, encoding: str) -> None:
    body = {**COMPRESS, "identity": bytes}[encoding](b'{"checks": []}')
    aws.answer("GetObject", {"Body": body, "ContentEncoding": encoding})
    assert ask({"plan": S3})["hookStatus"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("encoding", "body", "problem"),
    [
        ("rot13", b"{}", "has the Content-Encoding rot13, which is not one of gzip, deflate, br, zstd"),
        ("gzip", b"{}", "does not match its Content-Encoding"),
        ("gzip", COMPRESS["gzip"](b"{}")[:-3], "is truncated"),
        ("gzip", COMPRESS["gzip"](bytes(MAX_BYTES + 1)), f"must have at most {MAX_BYTES} bytes after decoding"),
        ("gzip, gzip, gzip", slow_to_decode(), "is not decoded within 0.1 s"),
    ],
    ids=["unknown", "no gzip", "cut", "large", "slow"],
)
def test_an_object_that_cannot_be_decoded(
    aws: AwsApi, encoding: str, body: bytes, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecs_hooks.plan.source._DECODING_SECONDS", 0.1)
    aws.answer("GetObject", {"Body": body, "ContentEncoding": encoding})
    assert f"{S3}: {problem}" in reason({"plan": S3})


def test_what_goes_back_to_ecs_is_the_place_and_not_the_plan(keep: Keep) -> None:
    check = {
        "type": "http",
        "url": "http://127.0.0.2:1/",
        "headers": {"Authorization": "hunter2"},
        "connect_retries": 0,
    }
    check["until"] = {"timeout_seconds": 60}
    place = keep({"checks": [{**check, "url": "http://nowhere.invalid/"}], "timeout_minutes": 5})
    answer = ask({"plan": place, "error_limit": 2})

    assert answer["hookStatus"] == "IN_PROGRESS"
    assert set(answer["hookDetails"]) == {"plan", "error_limit", "ecsHooks"}
    assert "hunter2" not in str(answer)
    again = ask(answer["hookDetails"])
    assert again["hookDetails"]["ecsHooks"]["attempt"] == 2


def test_where_aws_does_not_answer_it_is_asked_again_to_the_limit(aws: AwsApi, keep: Keep) -> None:
    place = keep({"checks": []})
    aws.error(operation(place), "InternalError", 500)
    first = ask({"plan": place, "error_limit": 2})
    assert first["hookStatus"] == "IN_PROGRESS"
    assert (
        f"plan {'s3' if place == S3 else 'ssm'}:{operation(place)}: InternalError ({place}) (error 1 of 2)"
        in first["reason"]
    )
    aws.well()
    assert ask(first["hookDetails"])["hookStatus"] == "SUCCEEDED"

    aws.error(operation(place), "InternalError", 500)
    second = ask(first["hookDetails"])
    assert second["hookStatus"] == "FAILED"
    assert "2 times in a row, which is the error_limit" in second["reason"]


@pytest.mark.parametrize("how", [Silence.HALF, Silence.RESET])
def test_half_of_it_is_no_plan(aws: AwsApi, keep: Keep, how: Silence) -> None:
    place = keep({"checks": []})
    aws.silence(operation(place), how)
    answer = ask({"plan": place})

    assert answer["hookStatus"] == "IN_PROGRESS"
    assert f"({place})" in answer["reason"]


def test_errors_that_are_not_in_a_row_do_not_add_up(aws: AwsApi, keep: Keep) -> None:
    waits = {"type": "http", "url": "http://nowhere.invalid/", "connect_retries": 0, "until": {"timeout_seconds": 3600}}
    details: Any = {"plan": keep({"checks": [waits]}), "error_limit": 2}
    for _ in range(3):
        for trouble in (True, False):
            aws.well()
            if trouble:
                aws.error(operation(details["plan"]), "SlowDown", 503)
            answer = ask(details)
            assert answer["hookStatus"] == "IN_PROGRESS", answer
            details = answer["hookDetails"]


def test_who_may_not_read_it_is_told_what_to_set(aws: AwsApi, keep: Keep) -> None:
    place = keep({})
    aws.error(operation(place), "AccessDenied", 403)
    parameter = "PlanArns" if place == S3 else "ParameterArns"
    assert f"in the function's role, as {parameter} of the stack does" in reason({"plan": place})


def test_the_time_of_the_invocation_holds_for_it_too(aws: AwsApi, keep: Keep) -> None:
    place = keep({})
    aws.silence(operation(place), Silence.HANG)
    answer = ask({"plan": place}, seconds=1.5)

    assert answer["hookStatus"] == "IN_PROGRESS"
    assert "plan not fetched when the time of this invocation was over" in answer["reason"]


def test_a_hook_of_ones_own_sees_its_fields(keep: Keep) -> None:
    seen: list[Any] = []

    @lifecycle_hook
    def own(hook: Hook) -> Outcome:
        seen.append((dict(hook.details), hook.plan.policies.error_limit))
        return hook.passed()

    place = keep({"bucket": "b", "table": "t", "error_limit": 7})
    assert ask({"plan": place, "table": "mine"}, own)["hookStatus"] == "SUCCEEDED"
    assert seen == [({"bucket": "b", "table": "mine", "error_limit": 7}, 7)]


BACK = shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 0, BLUE: 100})


def test_a_rollback_is_not_held_up_by_a_plan(aws: AwsApi, keep: Keep) -> None:
    seen: list[Any] = []
    deployment = {"status": "ROLLBACK_IN_PROGRESS", "deploymentConfiguration": {"strategy": "BLUE_GREEN"}}
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [deployment], "failures": []})
    place = keep({"table": "t"})
    event = {**BACK, "hookDetails": {"plan": place}}

    assert HOOK(event, Context(20))["hookStatus"] == "SUCCEEDED"
    assert not aws.calls[operation(place)]  # nobody wants to know

    own = lifecycle_hook(on_rollback=lambda hook: seen.append(dict(hook.details)))(lambda _: None)
    assert own(event, Context(20))["hookStatus"] == "SUCCEEDED"
    aws.error(operation(place), "AccessDenied", 403)
    assert own(event, Context(20))["hookStatus"] == "SUCCEEDED"
    keep([])
    assert own(event, Context(20))["hookStatus"] == "SUCCEEDED"
    assert seen == [{"table": "t"}, {"plan": place}, {"plan": place}]
