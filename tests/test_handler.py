from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from ecs_hooks import Hook, Outcome, Stage, Status, lifecycle_hook, stage_hook
from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks.base import Check
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import for_checks
from ecs_hooks.handler import LifecycleHandler
from tests.conftest import BLUE, GREEN, EcsApi, load_event, shifted
from tests.support.answers import NAMES, answer_to, function_for
from tests.support.checks import Fixed, Hanging, Raising, forever

Answer = dict[str, Any]


class Context:
    """Lambda's context, with so much time left."""

    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:hook"

    def __init__(self, seconds: float = 20) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


def built_in(*checks: Check) -> LifecycleHandler:
    return stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, defaults=checks)


def ask(handler: LifecycleHandler, event: Any = None, seconds: float = 20) -> Answer:
    answer = handler(load_event() if event is None else event, Context(seconds))
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert set(answer) <= {"hookStatus", "callBackDelay", "hookDetails", "reason"}
    assert answer["hookStatus"] in {"SUCCEEDED", "FAILED", "IN_PROGRESS"}
    assert answer["reason"].startswith(answer["hookStatus"])
    assert ("callBackDelay" in answer) is (answer["hookStatus"] == "IN_PROGRESS")
    return answer


def again(handler: LifecycleHandler, answer: Answer) -> Answer:
    return ask(handler, load_event(hookDetails=answer["hookDetails"]))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_hook_details")])
def test_every_sample_event_without_a_plan_gets_its_documented_answer(name: str) -> None:
    stage = next((each for each in Stage if each.title().replace("_", "") == function_for(name)), None)
    assert stage is not None

    assert ask(stage_hook(stage, [Fixed()]), load_event(name))["hookStatus"] == answer_to(name)


@pytest.mark.parametrize("kind", ["foreign", "string", "null", "json_string"])
def test_every_sample_of_hook_details_gets_its_documented_answer(kind: str) -> None:
    name = f"post_test_traffic_shift_{kind}_hook_details"

    assert ask(built_in(Fixed()), load_event(name))["hookStatus"] == answer_to(name)


def test_a_pass_says_how_much_was_checked() -> None:
    assert ask(built_in(Fixed(), Fixed(status=Status.SKIP))) == {
        "hookStatus": "SUCCEEDED",
        "reason": "SUCCEEDED post_test_traffic_shift my-service: 1 passed, 1 skipped",
    }


def test_a_failure_names_the_check() -> None:
    answer = ask(built_in(Fixed(), Fixed(name="upload", status=Status.FAIL, reason="status 500, expected 2xx")))

    assert answer == {
        "hookStatus": "FAILED",
        "reason": "FAILED post_test_traffic_shift my-service: "
        'fixed "upload" status 500, expected 2xx (1 passed, 1 failed)',
    }


def test_errors_are_asked_again_until_the_limit_and_configuration_comes_back() -> None:
    handler = built_in(Fixed(name="a"), Fixed(name="b", status=Status.ERROR, reason="refused"))
    configured = {"error_limit": 3, "base_url": "http://green"}
    first = ask(handler, load_event(hookDetails=configured))
    second = again(handler, first)
    third = again(handler, second)

    assert [each["hookStatus"] for each in (first, second, third)] == ["IN_PROGRESS", "IN_PROGRESS", "FAILED"]
    assert {name: second["hookDetails"][name] for name in configured} == configured
    assert second["hookDetails"]["ecsHooks"]["attempt"] == 2
    assert "3 times in a row, which is the error_limit (1 passed, 1 error)" in third["reason"]


def test_the_plans_own_time_ends_in_a_failure() -> None:
    handler = built_in(Fixed(status=Status.WAIT, reason="no data", retry_after=600))
    now = 1_800_000_000.0
    with clock.use(lambda: now):
        answer = ask(handler)
        delays = []
        while answer["hookStatus"] == "IN_PROGRESS":
            delays.append(answer["callBackDelay"])
            now += answer["callBackDelay"]
            answer = again(handler, answer)

    assert delays == [600, 600, 600]
    assert answer["hookStatus"] == "FAILED"
    assert "undecided after 30 minutes: fixed no data" in answer["reason"]


def test_ecs_is_asked_once_when_it_gives_up_and_the_hook_fails_before(ecs: EcsApi) -> None:
    now = 1_800_000_000.0
    hook = {"targetType": "AWS_LAMBDA", "status": "IN_PROGRESS", "expiresAt": now + 300, "timeoutAction": "CONTINUE"}
    ecs.deployment(lifecycleHookDetails=[hook])
    handler = built_in(Fixed(status=Status.WAIT))
    with clock.use(lambda: now):
        answer = ask(handler)
        start = now
        while answer["hookStatus"] == "IN_PROGRESS":
            now += answer["callBackDelay"]
            answer = again(handler, answer)

    assert ecs.calls == 1
    assert answer["hookStatus"] == "FAILED"
    assert now - start == 240


def test_ecs_is_asked_a_few_times_where_it_does_not_answer(ecs: EcsApi) -> None:
    ecs.error("ThrottlingException")
    handler = built_in(Fixed(status=Status.WAIT))
    answers = [ask(handler)]
    for _ in range(4):
        answers.append(again(handler, answers[-1]))

    assert [answer["hookDetails"]["ecsHooks"]["expiresAt"] for answer in answers] == [0, 0, -1, -1, -1]


def test_a_bug_in_a_check_is_a_failure_with_its_traceback_in_the_log(lines: Callable[[], list[Answer]]) -> None:
    answer = ask(built_in(Raising()))

    assert answer["hookStatus"] == "FAILED"
    assert "raised KeyError at checks.py:" in answer["reason"]
    assert any("Traceback" in line.get("traceback", "") for line in lines())


@pytest.mark.parametrize("seconds", [0.3, 0.05, 0.0, -5.0])
def test_where_lambdas_time_runs_out_the_answer_is_to_come_again(seconds: float) -> None:
    answer = ask(built_in(Hanging()), seconds=seconds)

    assert answer["hookStatus"] == "IN_PROGRESS"
    assert "not finished when the time of this invocation was over" in answer["reason"]


def test_code_that_hangs_is_given_up_too() -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> None:
        forever().wait(30)

    assert ask(handler, seconds=0.3)["hookStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize(("lambda_seconds", "seconds"), [(1800, 898), (900, 898), (120, 118)])
def test_an_invocation_by_ecs_ends_at_900_s_whatever_lambda_allows(lambda_seconds: float, seconds: float) -> None:
    found: list[float] = []

    @lifecycle_hook
    def handler(hook: Hook) -> None:
        found.append(hook.context.deadline.remaining())

    ask(handler, seconds=lambda_seconds)
    assert found == [pytest.approx(for_checks(seconds), abs=0.5)]


@pytest.mark.parametrize("context", [None, object(), "x"])
def test_any_context_will_do(context: Any) -> None:
    assert built_in(Fixed())(load_event(), context)["hookStatus"] == "SUCCEEDED"


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": []}, {"DeploymentId": "d-1"}])
def test_what_is_no_event_is_a_failure_that_says_so(event: Any, lines: Callable[[], list[Answer]]) -> None:
    answer = built_in(Fixed())(event, None)

    assert answer["hookStatus"] == "FAILED"
    assert "no ECS lifecycle hook event" in answer["reason"]
    assert lines()[0]["level"] == "WARNING"


def test_defaults_are_for_their_own_stage() -> None:
    answer = ask(built_in(Fixed()), load_event("post_scale_up"))

    assert answer["hookStatus"] == "FAILED"
    assert "the default checks of POST_TEST_TRAFFIC_SHIFT, but ECS invoked it at POST_SCALE_UP" in answer["reason"]


def test_a_plan_may_be_for_any_stage() -> None:
    answer = ask(built_in(Fixed()), load_event("unknown_stage", hookDetails={"checks": []}))

    assert answer["reason"] == "SUCCEEDED post_bake_time my-service: there is nothing to check at this stage"


OBSERVED = "SUCCEEDED post_test_traffic_shift my-service: observe mode; the answer would have been "


@pytest.mark.parametrize(
    ("details", "check", "would_have_been"),
    [
        ({}, Fixed(), "SUCCEEDED: 1 passed"),
        ({}, Fixed(status=Status.FAIL), "FAILED: fixed as told"),
        ({}, Fixed(status=Status.ERROR), "IN_PROGRESS: fixed as told (error 1 of 5)"),
        ({}, Raising(), "FAILED: raising raised KeyError"),
        ({"chekcs": []}, Fixed(), "FAILED: the plan is not valid: hookDetails.chekcs"),
    ],
)
def test_observe_mode_always_succeeds_and_says_what_it_would_have_said(
    details: Answer, check: Check, would_have_been: str
) -> None:
    answer = ask(built_in(check), load_event(hookDetails={"mode": "observe", **details}))

    assert answer["hookStatus"] == "SUCCEEDED"
    assert answer["reason"].startswith(OBSERVED + would_have_been)


def test_a_first_deployment_is_checked_unless_the_plan_says_skip(ecs: EcsApi) -> None:
    ecs.deployment(sourceServiceRevisions=[])
    failing = built_in(Fixed(status=Status.FAIL))

    assert ask(failing)["hookStatus"] == "FAILED"
    assert ecs.calls == 0
    answer = ask(failing, load_event(hookDetails={"first_deployment": "skip"}))
    assert answer["hookStatus"] == "SUCCEEDED"
    assert "1 skipped" in answer["reason"]


@pytest.mark.parametrize(
    ("prepare", "status", "says"),
    [
        (lambda ecs: ecs.deployment(), "FAILED", "fixed as told"),
        (lambda ecs: ecs.error("ThrottlingException"), "IN_PROGRESS", "ThrottlingException (error 1 of 5)"),
        (lambda ecs: ecs.error("AccessDeniedException"), "FAILED", "allow the action ecs:DescribeServiceDeployments"),
    ],
)
def test_whether_it_is_the_first_is_known_or_no_pass(
    ecs: EcsApi, prepare: Callable[[EcsApi], None], status: str, says: str
) -> None:
    prepare(ecs)

    answer = ask(built_in(Fixed(status=Status.FAIL)), load_event(hookDetails={"first_deployment": "skip"}))

    assert answer["hookStatus"] == status
    assert says in answer["reason"]


@pytest.mark.parametrize("name", ["production_traffic_shift_rollback", "test_traffic_shift_rollback"])
@pytest.mark.parametrize("details", [None, {"chekcs": []}, "x", {"first_deployment": "skip"}])
def test_a_rollback_is_never_held_up(name: str, details: Any) -> None:
    event = load_event(name, hookDetails=details)
    handler = stage_hook(Stage(event["lifecycleStage"]), [Fixed(status=Status.FAIL)])

    answer = ask(handler, event)

    assert answer["hookStatus"] == "SUCCEEDED"
    assert "ECS rolls back" in answer["reason"]


def test_a_rollback_step_is_recognised_by_its_status(ecs: EcsApi) -> None:
    handler = stage_hook(Stage.PRODUCTION_TRAFFIC_SHIFT, [Fixed(status=Status.FAIL)])
    step = shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 10, BLUE: 90})

    assert ask(handler, step)["hookStatus"] == "FAILED"
    ecs.deployment(status="ROLLBACK_IN_PROGRESS")
    assert ask(handler, step)["hookStatus"] == "SUCCEEDED"


def test_an_ecs_that_hangs_does_not_hold_up_a_rollback(ecs: EcsApi) -> None:
    ecs.delay = 1.5

    answer = ask(stage_hook(Stage.PRODUCTION_TRAFFIC_SHIFT), load_event("production_traffic_shift_rollback"), seconds=1)

    assert answer["hookStatus"] == "SUCCEEDED"


def test_those_who_asked_are_told_of_a_rollback(lines: Callable[[], list[Answer]]) -> None:
    told: list[Any] = []

    def first(hook: Hook) -> None:
        told.append(hook.event.stage)
        message = "no mail today"
        raise OSError(message)

    @lifecycle_hook(on_rollback=first)
    def handler(hook: Hook) -> Outcome:
        return hook.failed("never asked")

    @handler.on_rollback
    def second(hook: Hook) -> None:
        told.append(dict(hook.details))

    @handler.on_rollback
    def third(hook: Hook) -> None:
        forever().wait(30)

    event = load_event("production_traffic_shift_rollback", hookDetails={"mine": 1})
    assert ask(handler, event, seconds=1)["hookStatus"] == "SUCCEEDED"
    assert told == ["PRODUCTION_TRAFFIC_SHIFT", {"mine": 1}]
    messages = [line.get("message", "") for line in lines()]
    assert any("on_rollback first failed" in message for message in messages)
    assert any("on_rollback third failed" in message for message in messages)


def test_a_hook_of_ones_own_in_ten_lines(httpd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")

    @lifecycle_hook
    def lambda_handler(hook: Hook) -> Generator[Check, Outcome, Outcome | None]:
        yield Fixed()
        orders = hook.green.get("/orders").json()
        if not orders:
            return hook.failed("green lists no orders")
        return None

    answer = ask(lambda_handler, load_event(hookDetails={"base_url": httpd}))

    assert (
        answer["reason"] == "FAILED post_test_traffic_shift my-service: hook green lists no orders (1 passed, 1 failed)"
    )
    assert lambda_handler.__name__ == "lambda_handler"  # type: ignore[attr-defined] # as functools.wraps does


def test_an_error_of_the_client_is_that_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> None:
        hook.green.get("/")

    monkeypatch.setenv("APP_URL", "http://127.0.0.1:9")
    answer = ask(handler)
    assert answer["hookStatus"] == "FAILED"
    assert "ECS_HOOKS_ALLOWED_HOSTS" in answer["reason"]
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    assert ask(handler)["hookStatus"] == "IN_PROGRESS"


def test_outcomes_come_back_from_a_yield() -> None:
    seen: list[Any] = []

    @lifecycle_hook
    def handler(hook: Hook) -> Generator[Any, Any, Outcome | None]:
        seen.append((yield Fixed(name="a")))
        seen.append((yield [Fixed(name="b"), Fixed(name="c", status=Status.SKIP)]))
        return hook.passed("fine")

    assert "3 passed, 1 skipped" in ask(handler)["reason"]
    assert seen[0].status is Status.PASS
    assert [outcome.status for outcome in seen[1]] == [Status.PASS, Status.SKIP]


@pytest.mark.parametrize("status", [Status.FAIL, Status.WAIT, Status.ERROR])
def test_the_code_behind_a_check_that_did_not_pass_is_not_run(status: Status) -> None:
    ran: list[str] = []

    @lifecycle_hook
    def handler(hook: Hook) -> Generator[Any, Any, None]:
        try:
            yield Fixed(status=status)
            ran.append("behind")
        finally:
            ran.append("finally")

    assert ask(handler)["hookStatus"] == ("FAILED" if status is Status.FAIL else "IN_PROGRESS")
    assert ran == ["finally"]


def test_checks_of_the_plan_come_before_the_code() -> None:
    ran: list[bool] = []

    @lifecycle_hook
    def handler(hook: Hook) -> None:
        ran.append(True)

    refused = {"checks": [{"type": "http", "url": "http://169.254.169.254/"}]}
    assert ask(handler, load_event(hookDetails=refused))["hookStatus"] == "FAILED"
    assert ran == []
    assert ask(handler)["reason"].endswith("there is nothing to check at this stage")
    assert ran == [True]


@pytest.mark.parametrize(
    ("returned", "says"),
    [(True, "raised TypeError"), ("SUCCEEDED", "raised TypeError"), ({"hookStatus": "SUCCEEDED"}, "raised TypeError")],
)
def test_what_is_no_outcome_is_no_pass(returned: Any, says: str) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Any:
        return returned

    assert says in ask(handler)["reason"]


@pytest.mark.parametrize("asked", [None, "check", [Fixed(), 3]])
def test_what_is_no_check_can_not_be_yielded(asked: Any) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Generator[Any, Any, None]:
        yield asked

    answer = ask(handler)
    assert answer["hookStatus"] == "FAILED"
    assert "raised TypeError" in answer["reason"]


@pytest.mark.parametrize("error", [SystemExit, ValueError, RecursionError])
def test_whatever_the_code_raises_is_a_failure(error: type[BaseException]) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> None:
        raise error

    assert ask(handler)["hookStatus"] == "FAILED"


def test_a_hook_may_wait_and_may_ask_ecs(ecs: EcsApi) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        return hook.wait(f"for {hook.deployment.strategy}", retry_after=7)

    answer = ask(handler)
    assert answer["callBackDelay"] == 7
    assert "hook for BLUE_GREEN" in answer["reason"]

    ecs.error("AccessDeniedException")
    assert ask(handler)["hookStatus"] == "FAILED"


def test_own_keys_of_hook_details_reach_the_code() -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        return hook.failed(str(hook.details["S3_BUCKET_NAME"]))

    event = load_event("post_test_traffic_shift_foreign_hook_details")
    assert "my-approval-bucket" in ask(handler, event)["reason"]


def test_a_bug_of_the_library_is_answered_too(
    monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[Answer]]
) -> None:
    def broken(*_: Any) -> None:
        message = "hunter2"
        raise FloatingPointError(message)

    monkeypatch.setattr("ecs_hooks.engine.invocation.decide", broken)
    answer = ask(built_in(Fixed()))

    assert answer["reason"] == (
        "FAILED post_test_traffic_shift my-service: FloatingPointError in ecs-hooks; see the log"
    )
    assert [line["message"] for line in lines() if line.get("level") == "ERROR"] == ["ecs-hooks failed; this is a bug"]


def test_a_bug_before_the_event_is_read_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_hooks.engine.ecs.LifecycleEvent", None)

    assert built_in()(load_event(), None) == {
        "hookStatus": "FAILED",
        "reason": "FAILED: AttributeError in ecs-hooks; see the log",
    }


def test_a_fact_error_is_no_bug() -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> None:
        raise FactError("ecs:X: throttled")

    assert "hook ecs:X: throttled (error 1 of 5)" in ask(handler)["reason"]


def test_a_failure_of_a_default_check_says_so_and_how_to_replace_it() -> None:
    note = "(a default check of POST_TEST_TRAFFIC_SHIFT; to replace it, set hookDetails.checks)"
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    closed = {"base_url": "http://127.0.0.1:9"}
    forbidden = ask(handler, load_event(hookDetails=closed))
    assert forbidden["hookStatus"] == "FAILED"
    assert note in forbidden["reason"]
    mine = {**closed, "checks": [{"type": "http", "name": "root"}]}
    assert "default check" not in ask(handler, load_event(hookDetails=mine))["reason"]
    assert "default check" not in ask(built_in(Fixed(status=Status.FAIL)))["reason"]
