from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import TasksCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer, task

SCHEDULER = "ServiceSchedulerInitiated"
SCALING = "Scaling activity initiated by (deployment ecs-svc/9313423515462893900)"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
WEB = {"name": "web", "imageDigest": "sha256:abc"}


def running(aws: AwsApi, *tasks: dict[str, Any], stopped: tuple[dict[str, Any], ...] = ()) -> None:
    load_balancer(aws)
    everything = {each["taskArn"]: each for each in (*tasks, *stopped)}

    def list_tasks(request: dict[str, Any]) -> dict[str, Any]:
        which = stopped if request.get("desiredStatus") == "STOPPED" else tasks
        return {"taskArns": [each["taskArn"] for each in which]}

    aws.answer("ListTasks", list_tasks)
    aws.answer("DescribeTasks", lambda request: {"tasks": [everything[arn] for arn in request["tasks"]]})


def run(**fields: Any) -> Outcome:
    return TasksCheck.model_validate(fields).run(context(None))


def test_the_desired_number_of_tasks_passes(aws: AwsApi) -> None:
    running(aws, task("a"), task("b"))

    evidence = {"running_tasks": 2, "running_tasks_lower_limit": 2, "desired_tasks": 2}
    assert run() == Outcome.passed(
        "2 of 2 tasks of green run", {**evidence, "failed_tasks": 0, "failed_tasks_limit": 0}
    )


def counts(aws: AwsApi, running: int, requested: int) -> None:
    target = {"runningTaskCount": running, "requestedTaskCount": requested}
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"targetServiceRevision": target}]})


@pytest.mark.parametrize(
    "second",
    [
        task("b", lastStatus="PENDING"),
        task("b", healthStatus="UNKNOWN", containers=[{**WEB, "healthStatus": "HEALTHY"}]),
        task("b", containers=[]),
    ],
)
def test_starting_tasks_are_waited_for(aws: AwsApi, second: dict[str, Any]) -> None:
    running(aws, task("a"), second)

    assert (run().status, run().reason) == (Status.WAIT, "2 of 2 tasks of green run, 1 not yet healthy")


@pytest.mark.parametrize(("count", "wanted"), [(1, 2), (2, 2), (0, 1)])
def test_missing_and_unlisted_tasks_are_waited_for(aws: AwsApi, count: int, wanted: int) -> None:
    running(aws, *([task("a")] if count else []))
    counts(aws, count, wanted)

    assert run().status is Status.WAIT


@pytest.mark.parametrize(
    ("exit_code", "reason", "shown"),
    [
        (137, OUT_OF_MEMORY, f"container web exit code 137, {OUT_OF_MEMORY}"),
        (0, OUT_OF_MEMORY, f"container web exit code 0, {OUT_OF_MEMORY}"),
        (0, "", "container web exit code 0"),
        (None, "CannotPullContainerError: no\n such image", "container web CannotPullContainerError: no such image"),
        (None, "", ""),
    ],
)
def test_a_stopped_task_has_its_containers_with_reason_and_exit_code(
    aws: AwsApi, exit_code: int | None, reason: str, shown: str
) -> None:
    container = {"name": "web", **({} if exit_code is None else {"exitCode": exit_code})}
    stopped = {**crashed("c"), "containers": [{**container, **({"reason": reason} if reason else {})}]}
    running(aws, task("a"), task("b"), stopped=(stopped,))

    expected = ", ".join(
        filter(None, ["EssentialContainerExited", "Essential container in task exited", shown]),
    )
    assert run().reason == f"1 task of green stopped: {expected}"


def pages(aws: AwsApi, running: int, stopped: tuple[dict[str, Any], ...] = ()) -> None:
    """Answer with the tasks of green in pages of a hundred, as ECS does."""
    load_balancer(aws)
    tasks = {"RUNNING": [task(str(number)) for number in range(running)], "STOPPED": list(stopped)}
    by_arn = {each["taskArn"]: each for each in (*tasks["RUNNING"], *stopped)}

    def list_tasks(request: dict[str, Any]) -> dict[str, Any]:
        arns = [each["taskArn"] for each in tasks[request.get("desiredStatus", "RUNNING")]]
        begin = int(request.get("nextToken", "0"))
        following = {"nextToken": str(begin + 100)} if len(arns) > begin + 100 else {}
        return {"taskArns": arns[begin : begin + 100], **following}

    aws.answer("ListTasks", list_tasks)
    aws.answer("DescribeTasks", lambda request: {"tasks": [by_arn[arn] for arn in request["tasks"]]})
    counts(aws, running, running)


def test_the_tasks_of_all_pages_are_checked(aws: AwsApi) -> None:
    pages(aws, 250)

    assert run().reason == "250 of 250 tasks of green run"
    counts(aws, 251, 251)
    assert run() == Outcome.wait("251 of 251 tasks of green run, 250 listed", run().evidence)


def test_a_failed_task_behind_a_hundred_stopped_tasks_of_blue_is_found(aws: AwsApi) -> None:
    blue = [{**crashed(f"blue{number}"), "startedBy": "ecs-svc/1920498462936580504"} for number in range(130)]
    pages(aws, 2, (*blue, crashed("green")))

    assert run().reason.startswith("1 task of green stopped: EssentialContainerExited")


def test_endless_pages_of_tasks_do_not_pass(aws: AwsApi) -> None:
    pages(aws, 2)
    aws.answer("ListTasks", {"taskArns": [], "nextToken": "again"})
    with pytest.raises(FactError, match="ecs:ListTasks: more than 50 pages of tasks"):
        run()


def test_a_pass_names_the_containers_whose_digest_is_unknown(aws: AwsApi) -> None:
    added = [{"name": "ecs-service-connect-ab12"}, {"name": "aws-guardduty-agent-ab12"}]
    running(aws, *(task(each, containers=[WEB, {"name": "sidecar", "imageDigest": "x"}, *added]) for each in "ab"))

    assert run().reason == "2 of 2 tasks of green run; not checked: image digest of container sidecar"
    assert run(digest=False).reason == "2 of 2 tasks of green run"


def test_a_service_with_desired_count_0_passes(aws: AwsApi) -> None:
    running(aws)
    counts(aws, 0, 0)

    assert run().status is Status.PASS


def test_tasks_without_health_checks_pass(aws: AwsApi) -> None:
    bare: dict[str, Any] = {"healthStatus": "UNKNOWN", "containers": [{**WEB, "healthStatus": "UNKNOWN"}]}
    running(aws, task("a", **bare), task("b", **bare))

    assert run().status is Status.PASS


def test_an_unhealthy_container_is_named(aws: AwsApi) -> None:
    running(aws, task("a", containers=[{"name": "sidecar", "healthStatus": "UNHEALTHY"}]), task("b"))

    assert (run().status, run().reason) == (Status.FAIL, "container sidecar is UNHEALTHY in 1 task")


def test_another_image_than_the_deployed_one_fails(aws: AwsApi) -> None:
    running(aws, task("a"), task("b", containers=[{"name": "web", "imageDigest": "sha256:old"}]))

    assert run().reason == "container web runs sha256:old, expected sha256:abc"
    assert run(digest=False).status is Status.PASS


def test_a_container_of_unknown_image_is_waited_for(aws: AwsApi) -> None:
    running(aws, task("a"), task("b", containers=[{"name": "web"}, {"name": "sidecar"}]))

    assert (run().status, run().reason) == (
        Status.WAIT,
        "2 of 2 tasks of green run, ECS does not know the image digest of container web yet",
    )
    assert run(digest=False).status is Status.PASS


def crashed(
    identifier: str,
    code: str = "EssentialContainerExited",
    reason: str = "Essential container in task exited",
) -> dict[str, Any]:
    return task(
        identifier,
        lastStatus="STOPPED",
        stopCode=code,
        stoppedReason=reason,
        containers=[{"name": "web", "exitCode": 137}, {"name": "done", "exitCode": 0}],
    )


def test_tasks_that_stopped_by_themselves_fail_with_their_reasons(aws: AwsApi) -> None:
    running(aws, task("a"), task("b"), stopped=(crashed("c"), crashed("d", SCHEDULER, SCALING)))

    outcome = run()
    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "1 task of green stopped: EssentialContainerExited, Essential container in task exited, "
        "container web exit code 137, container done exit code 0"
    )
    assert run(max_failed=1).status is Status.PASS


@pytest.mark.parametrize(
    "reason",
    [
        "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/a/b)",
        "Task failed container health checks",
        "(service api) (port 8080) is unhealthy in (target-group arn:aws:...) due to (reason Request timed out)",
    ],
)
def test_tasks_that_ecs_replaced_as_unhealthy_have_failed(aws: AwsApi, reason: str) -> None:
    unhealthy = {**crashed("c", SCHEDULER, reason), "containers": []}
    running(aws, task("a"), task("b"), stopped=(unhealthy,))

    assert run().reason == f"1 task of green stopped: {SCHEDULER}, {reason}"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (SCHEDULER, SCALING),
        (SCHEDULER, "Scaling activity initiated by deployment ecs-svc/9313423515462893900"),
        ("UserInitiated", "Task stopped by user"),
        ("SpotInterruption", "Your Spot Task was interrupted."),
        ("InfrastructureHealth", "the host is not healthy"),
        ("", SCALING),
    ],
)
def test_tasks_stopped_on_purpose_have_not_failed(aws: AwsApi, code: str, reason: str) -> None:
    running(aws, task("a"), task("b"), stopped=(crashed("c", code, reason),))

    assert run().status is Status.PASS


def test_a_task_that_stopped_without_a_reason_has_failed(aws: AwsApi) -> None:
    bare = {**crashed("c", "", ""), "containers": []}
    running(aws, task("a"), task("b"), stopped=(bare,))

    assert run().reason == "1 task of green stopped: reason unknown"
    running(aws, task("a"), task("b"), stopped=({**bare, "lastStatus": "RUNNING"},))
    assert run().status is Status.PASS


def test_a_reason_counts_the_reasons_of_tasks(aws: AwsApi) -> None:
    unhealthy = [crashed(str(number), SCHEDULER, "Task failed container health checks") for number in range(3)]
    others = [crashed(f"x{number}", "TaskFailedToStart", f"reason {number}") for number in range(3)]
    running(aws, task("a"), stopped=(*others, crashed("c"), crashed("d"), *unhealthy))

    exits = "container web exit code 137, container done exit code 0"
    assert run().reason == (
        f"8 tasks of green stopped: 3 ServiceSchedulerInitiated, Task failed container health checks, {exits}; "
        f"2 EssentialContainerExited, Essential container in task exited, {exits}; "
        f"1 TaskFailedToStart, reason 0, {exits}; and 2 more"
    )
    assert dict(run().evidence) == {"failed_tasks": 8, "failed_tasks_limit": 0}


def test_an_unknown_desired_count_is_an_aws_error(aws: AwsApi) -> None:
    running(aws, task("a"))
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"targetServiceRevision": {}}]})
    with pytest.raises(FactError, match="ecs:DescribeServiceDeployments: invalid response"):
        run()


def test_a_pass_names_tasks_with_an_unknown_stop_code(aws: AwsApi) -> None:
    stopped = task("s", lastStatus="STOPPED", stopCode="NewCode", stoppedReason="new")
    running(aws, task("a"), task("b"), stopped=(stopped,))
    outcome = run()
    assert outcome.status is Status.PASS
    assert outcome.reason.startswith("2 of 2 tasks of green run; stopped: NewCode, new")


def test_a_pass_names_containers_that_failed_in_running_tasks(aws: AwsApi) -> None:
    job = {"name": "job", "lastStatus": "STOPPED", "exitCode": 137, "reason": OUT_OF_MEMORY}
    init = {"name": "init", "lastStatus": "STOPPED", "exitCode": 0}
    running(aws, task("a", containers=[WEB, job]), task("b", containers=[WEB, job, init]))
    outcome = run(digest=False)
    assert (outcome.status, outcome.reason) == (
        Status.PASS,
        f"2 of 2 tasks of green run; container job exit code 137, {OUT_OF_MEMORY}",
    )


def test_a_pass_names_the_tasks_that_were_allowed_to_stop(aws: AwsApi) -> None:
    ended = {**WEB, "exitCode": 0, "reason": OUT_OF_MEMORY}
    stopped = task("s", lastStatus="STOPPED", stopCode="EssentialContainerExited", containers=[ended])
    running(aws, task("a"), task("b"), stopped=(stopped,))
    outcome = run(max_failed=1)
    assert (outcome.status, outcome.reason) == (
        Status.PASS,
        f"2 of 2 tasks of green run; stopped: EssentialContainerExited, container web exit code 0, {OUT_OF_MEMORY}",
    )
