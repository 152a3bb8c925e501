"""A hook under CodeDeploy, from the event to the report, with AWS over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from ecs_hooks import Hook, Outcome, Stage, lifecycle_hook, stage_hook
from ecs_hooks.codedeploy.report import PATIENCE
from ecs_hooks.codedeploy.schedule import ROLE_VARIABLE
from ecs_hooks.core.outcome import Status
from ecs_hooks.engine.hook import Definition
from ecs_hooks.engine.invocation import Invocation
from ecs_hooks.handler import LifecycleHandler
from tests.codedeploy.account import BEGAN, DEPLOYMENT, EVENT, EXECUTION, FUNCTION_ARN, HOOKS, ROLE, Account
from tests.support.checks import Fixed

STAGES = {
    "BeforeInstall": "PRE_SCALE_UP",
    "AfterInstall": "POST_SCALE_UP",
    "AfterAllowTestTraffic": "POST_TEST_TRAFFIC_SHIFT",
    "BeforeAllowTraffic": "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "AfterAllowTraffic": "POST_PRODUCTION_TRAFFIC_SHIFT",
}


def answering(*outcomes: Outcome) -> LifecycleHandler:
    """Return a hook with these outcomes, the last one repeatedly."""
    left = list(outcomes)

    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


PASSES = Outcome.passed("fine")
FAILS = Outcome.failed("broken")
WAITS = Outcome.wait("for tasks", retry_after=90)


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize(("outcome", "status"), [(PASSES, "Succeeded"), (FAILS, "Failed")])
def test_a_verdict_is_reported_once_and_no_schedule_remains(
    account: Account, name: str, outcome: Outcome, status: str
) -> None:
    account.hook(name)
    answer = account.invoke(answering(outcome))

    assert account.reports == [status]
    assert account.schedules == {}
    assert answer["hookStatus"] == status.upper()
    assert answer["reason"].startswith(f"{status.upper()} {STAGES[name].lower()} my-service: ")


def test_a_hook_that_waits_is_invoked_again_by_a_schedule(account: Account) -> None:
    handler = answering(WAITS, WAITS, PASSES)
    answer = account.invoke(handler)

    assert answer["hookStatus"] == "IN_PROGRESS"
    assert account.reports == []
    (schedule,) = account.schedules.values()
    assert schedule.at == BEGAN + 120  # the full minute after 90 seconds
    parameters = schedule.parameters
    assert parameters["Target"]["Arn"] == FUNCTION_ARN
    assert parameters["Target"]["RoleArn"] == ROLE
    assert parameters["GroupName"] == "hooks"
    assert parameters["ActionAfterCompletion"] == "DELETE"
    assert parameters["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert parameters["ScheduleExpressionTimezone"] == "UTC"
    assert {key: schedule.event[key] for key in EVENT} == EVENT

    assert account.play(handler)["hookStatus"] == "SUCCEEDED"
    assert account.reports == ["Succeeded"]
    assert account.now < BEGAN + 600


def test_a_hook_that_always_waits_fails_within_the_hour(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", '{"timeout_minutes": 1440}')
    answer = account.play(answering(WAITS))

    assert account.reports == ["Failed"]
    assert "undecided after" in answer["reason"]
    assert BEGAN + PATIENCE - 600 < account.now < BEGAN + PATIENCE - 60


def test_the_hour_begins_with_the_lifecycle_event(account: Account) -> None:
    account.hook("AfterAllowTestTraffic", began=BEGAN - 3000)
    account.play(answering(WAITS))

    assert account.reports == ["Failed"]
    assert account.now < BEGAN + 600 - 60


@pytest.mark.parametrize("seconds", [1, 3, 120, 900])
@pytest.mark.parametrize("delay", [1, 30, 700, 5000])
def test_every_delay_ends_with_a_report_in_time(
    account: Account, monkeypatch: pytest.MonkeyPatch, seconds: float, delay: float
) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", '{"timeout_minutes": 1440}')
    handler = answering(Outcome.wait("for ever", retry_after=delay))
    account.invoke(handler, seconds=seconds)
    while account.schedules:
        account.next(handler)

    assert account.reports == ["Failed"]
    assert account.now < BEGAN + PATIENCE - 60


class Killed(BaseException):
    """Lambda kills the function."""


def dying(times: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Kill the first invocations during their checks."""
    deaths: list[int] = []
    answer = Invocation.answer

    def killed(self: Invocation) -> Any:
        if len(deaths) < times:
            deaths.append(1)
            raise Killed
        return answer(self)

    monkeypatch.setattr(Invocation, "answer", killed)
    return deaths


def play_with_deaths(account: Account, handler: Callable[..., Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    event = None
    while True:
        with suppress(Killed):
            answer = account.invoke(handler, event)
        if not account.schedules:
            return answer
        name, schedule = min(account.schedules.items(), key=lambda item: item[1].at)
        del account.schedules[name]
        account.now, event = schedule.at + 60, schedule.event


@pytest.mark.parametrize(("times", "status"), [(1, "Succeeded"), (2, "Succeeded"), (3, "Failed"), (99, "Failed")])
def test_a_crashed_invocation_is_repeated(
    account: Account, monkeypatch: pytest.MonkeyPatch, times: int, status: str
) -> None:
    dying(times, monkeypatch)
    answer = play_with_deaths(account, answering(PASSES))

    assert account.reports == [status]
    assert account.now < BEGAN + 1200
    if status == "Failed":
        assert "the function crashed 3 times in a row" in answer["reason"]


def test_a_crash_after_a_wait_keeps_the_state(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, [Fixed(), Fixed(name="b", status=Status.WAIT)])
    account.invoke(handler)
    dying(1, monkeypatch)
    with pytest.raises(Killed):
        account.next(handler)
    answer = account.next(handler)

    assert "(1 passed, 1 waiting); default checks" in answer["reason"]
    assert answer["hookDetails"]["ecsHooks"]["attempt"] == 2


def test_a_duplicate_is_harmless(account: Account) -> None:
    handler = answering(PASSES)
    account.invoke(handler)
    account.aws.error("PutLifecycleEventHookExecutionStatus", "LifecycleEventAlreadyCompletedException")
    answer = account.invoke(handler)

    assert answer["hookStatus"] == "SUCCEEDED"
    assert account.schedules == {}


def test_parallel_invocations_share_a_schedule(account: Account) -> None:
    handler = answering(WAITS)
    account.invoke(handler)
    account.aws.error("CreateSchedule", "ConflictException", 409)
    account.invoke(handler)
    assert len(account.schedules) == 1
    assert account.aws.calls["UpdateSchedule"] > 1


REFUSED = [
    "LifecycleEventAlreadyCompletedException",
    "InvalidLifecycleEventHookExecutionIdException",
    "InvalidLifecycleEventHookExecutionStatusException",
    "DeploymentDoesNotExistException",
    "DeploymentIdRequiredException",
    "InvalidDeploymentIdException",
    "UnsupportedActionForDeploymentTypeException",
]
"""Every error of PutLifecycleEventHookExecutionStatus in its API reference."""


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_report_is_not_retried(
    account: Account, code: str, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    account.aws.error("PutLifecycleEventHookExecutionStatus", code)
    answer = account.invoke(answering(PASSES))

    assert answer["hookStatus"] == "SUCCEEDED"
    assert account.aws.calls["PutLifecycleEventHookExecutionStatus"] == 1
    assert account.schedules == {}
    messages = [line["message"] for line in lines() if code in line.get("message", "")]
    assert bool(messages) == (code != "LifecycleEventAlreadyCompletedException")


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalFailure", 500), ("AccessDeniedException", 400)]
)
def test_a_failed_report_is_retried_without_new_checks(account: Account, code: str, status: int) -> None:
    runs: list[int] = []

    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        runs.append(1)
        return FAILS

    account.aws.error("PutLifecycleEventHookExecutionStatus", code, status)
    account.invoke(handler, seconds=4)
    assert account.reports == []
    account.aws.well()
    answer = account.next(handler)

    assert account.reports == ["Failed"]
    assert answer["reason"].endswith("hook broken (1 failed)")
    assert runs == [1]
    assert account.schedules == {}


def test_reports_are_not_retried_after_the_hour(account: Account) -> None:
    account.aws.error("PutLifecycleEventHookExecutionStatus", "ThrottlingException")
    handler = answering(FAILS)
    account.invoke(handler, seconds=1)
    while account.schedules:
        name, schedule = min(account.schedules.items(), key=lambda item: item[1].at)
        del account.schedules[name]
        account.now = schedule.at + 60
        account.invoke(handler, schedule.event, seconds=1)
    assert account.now < BEGAN + PATIENCE + 60


@pytest.mark.parametrize("seconds", [15, 120])
def test_the_reason_of_a_wait_that_cannot_be_scheduled_begins_with_failed(
    account: Account, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    if seconds == 15:
        monkeypatch.delenv(ROLE_VARIABLE)
    handler = answering(Outcome.wait("a moment", retry_after=100))
    if seconds == 120:
        # Only the schedule before the checks can be set.
        def denied_from_now_on(_: dict[str, Any]) -> dict[str, Any]:
            account.aws.error("CreateSchedule", "AccessDenied")
            return {}

        account.aws.answer("CreateSchedule", denied_from_now_on)
    answer = account.invoke(handler, seconds=seconds)

    assert account.reports == ["Failed"]
    assert answer["reason"].startswith("FAILED post_test_traffic_shift my-service: hook a moment; ")
    assert "IN_PROGRESS" not in answer["reason"]


def test_without_a_schedule_the_function_itself_waits(
    account: Account, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.delenv(ROLE_VARIABLE)
    answer = account.invoke(answering(Outcome.wait("a moment", retry_after=1), PASSES))

    assert answer["hookStatus"] == "SUCCEEDED"
    assert account.reports == ["Succeeded"]
    assert any(
        "cannot schedule the next invocation: ECS_HOOKS_SCHEDULE_ROLE is not set" in each.get("message", "")
        for each in lines()
    )


def test_without_a_schedule_the_hook_fails_before_the_function_times_out(account: Account) -> None:
    account.aws.error("CreateSchedule", "AccessDeniedException", 403)
    answer = account.invoke(answering(WAITS), seconds=30)

    assert account.reports == ["Failed"]
    assert answer["reason"].endswith("but the function is about to time out, and no further invocation is scheduled")


def test_a_hook_fails_if_its_next_invocation_can_not_be_scheduled(account: Account) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        for operation in ("CreateSchedule", "UpdateSchedule"):
            account.aws.error(operation, "AccessDeniedException", 403)
        return WAITS

    answer = account.invoke(handler)
    assert account.reports == ["Failed"]
    assert "but no further invocation is scheduled: scheduler:CreateSchedule: AccessDeniedException" in answer["reason"]


@pytest.mark.parametrize("operation", ["GetDeployment", "ListDeploymentTargets", "BatchGetDeploymentTargets"])
def test_temporary_errors_of_codedeploy_are_waited_for(account: Account, operation: str) -> None:
    handler = answering(PASSES)
    account.aws.error(operation, "ThrottlingException")
    for number in range(1, 5):
        answer = account.invoke(handler) if number == 1 else account.next(handler)
        assert answer["hookStatus"] == "IN_PROGRESS"
        assert f"(error {number} of 5)" in answer["reason"]
    account.aws.well()
    assert account.next(handler)["hookStatus"] == "SUCCEEDED"


@pytest.mark.parametrize("operation", ["GetDeployment", "ListDeploymentTargets", "BatchGetDeploymentTargets"])
def test_permanent_errors_of_codedeploy_fail(account: Account, operation: str) -> None:
    account.aws.error(operation, "ThrottlingException")
    account.play(answering(PASSES))
    assert account.reports == ["Failed"]

    account.aws.error(operation, "AccessDeniedException")
    answer = account.invoke(answering(PASSES))
    assert account.reports == ["Failed", "Failed"]
    assert f"allow the action codedeploy:{operation} in the function's role" in answer["reason"]


def test_errors_until_the_end_of_the_hour_fail(account: Account) -> None:
    account.hook("AfterAllowTestTraffic", began=BEGAN - 3200)
    handler = answering(WAITS)
    account.invoke(handler)
    account.now = BEGAN + 200
    account.aws.error("GetParameters", "ThrottlingException")
    answer = account.invoke(handler, {**EVENT, "ecsHooksExecution": {"began": int(BEGAN - 3200)}})
    assert account.reports[-1] == "Failed"
    assert "undecided after" in answer["reason"] or answer["reason"].endswith(
        "but CodeDeploy's limit of one hour is nearly reached"
    )

    account.aws.error("GetDeployment", "ThrottlingException")
    answer = account.invoke(handler, {**EVENT, "ecsHooksExecution": {"began": int(BEGAN - 3200)}})
    assert answer["reason"].endswith("but CodeDeploy's limit of one hour is nearly reached")


def test_a_report_that_fails_and_can_not_be_retried_is_logged(
    account: Account, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    @lifecycle_hook
    def handler(hook: Hook) -> Outcome:
        for operation in ("CreateSchedule", "UpdateSchedule"):
            account.aws.error(operation, "AccessDeniedException", 403)
        account.aws.error("PutLifecycleEventHookExecutionStatus", "ThrottlingException")
        return PASSES

    account.invoke(handler, seconds=2)
    messages = [line.get("message", "") for line in lines()]
    assert any(each.startswith("Succeeded could not be reported: codedeploy:PutLifecycle") for each in messages)
    assert any(
        each.startswith("the report will not be retried: scheduler:CreateSchedule: AccessDenied") for each in messages
    )


@pytest.mark.parametrize("names", [("AWS_REGION",), ("AWS_DEFAULT_REGION",), ()])
def test_without_an_arn_the_region_comes_from_the_environment(
    account: Account, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in names:
        monkeypatch.setenv(name, "eu-west-1")
    answer = answering(PASSES)(EVENT, None)
    assert answer["hookStatus"] == "SUCCEEDED"
    assert account.aws.regions == ({"eu-west-1"} if names else {"us-east-1"})


def test_a_rollback_always_succeeds(account: Account) -> None:
    account.deployment["creator"] = "codeDeployRollback"
    answer = account.invoke(answering(FAILS))

    assert account.reports == ["Succeeded"]
    assert "CodeDeploy rolls back; a rollback is never delayed" in answer["reason"]


@pytest.mark.parametrize("status", ["Stopped", "Failed"])
def test_an_ended_deployment_is_not_checked(account: Account, status: str) -> None:
    account.deployment["status"] = status
    answer = account.invoke(answering(PASSES))

    assert f"the deployment has ended already ({status})" in answer["reason"]
    assert account.schedules == {}


def test_observe_mode_reports_succeeded(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", '{"mode": "observe"}')
    answer = account.invoke(answering(FAILS))

    assert account.reports == ["Succeeded"]
    assert "the answer would have been FAILED" in answer["reason"]


def test_a_custom_hook_has_the_event(account: Account) -> None:
    seen: dict[str, Any] = {}

    @lifecycle_hook
    def handler(hook: Hook) -> None:
        seen["stage"], seen["event"] = hook.event.stage, hook.event
        seen["green"] = hook.green is not None

    account.invoke(handler)
    assert seen["stage"] is Stage.POST_TEST_TRAFFIC_SHIFT
    assert seen["event"].received.deployment_id == DEPLOYMENT
    assert seen["event"].green_percent is None
    assert account.reports == ["Succeeded"]


def test_a_function_of_another_stage_fails_with_the_reason(account: Account) -> None:
    answer = account.invoke(stage_hook(Stage.PRE_SCALE_UP, [Fixed()]))

    assert account.reports == ["Failed"]
    assert "this function has the default checks of PRE_SCALE_UP" in answer["reason"]


def test_without_a_lifecycle_event_in_progress_the_functions_stage_is_used(account: Account) -> None:
    account.hook("")
    answer = account.invoke(stage_hook(Stage.PRE_SCALE_UP, [Fixed()]))
    assert answer["reason"].startswith("SUCCEEDED pre_scale_up")

    answer = account.invoke(answering(PASSES))
    assert "CodeDeploy reports no lifecycle event in progress" in answer["reason"]


def test_an_exception_in_the_library_is_reported_as_failed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Invocation) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Invocation, "answer", broken)
    answer = account.invoke(answering(PASSES))

    assert account.reports == ["Failed"]
    assert answer["reason"] == "FAILED: ZeroDivisionError in ecs-hooks; see the log"


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"LifecycleEventHookExecutionId": EXECUTION}, "event.DeploymentId: is required"),
        ({"DeploymentId": 1, "LifecycleEventHookExecutionId": EXECUTION}, "event.DeploymentId: must be a string"),
        ({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": ""}, "HookExecutionId: is required"),
    ],
)
def test_an_event_without_ids_fails_with_the_reason(event: dict[str, Any], problem: str) -> None:
    answer = LifecycleHandler(Definition())(event)
    assert answer["hookStatus"] == "FAILED"
    assert problem in answer["reason"]


def test_the_default_checks_pass_behind_codedeploys_listeners(
    account: Account, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    from post_scale_up import lambda_handler  # noqa: PLC0415 - after the environment is set

    account.hook("AfterInstall")
    answer = account.invoke(lambda_handler)
    assert answer["hookStatus"] == "SUCCEEDED", answer
    line = next(each for each in lines() if "verdict" in each)
    fields = {"application": "orders", "deployment_group": "orders-prod", "lifecycle_event": "AfterInstall"}
    assert line.items() >= {**fields, "deployment": DEPLOYMENT, "stage": "POST_SCALE_UP"}.items()
