from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ecs_hooks_cli.commands import ecs_hooks
from tests.cli.conftest import Run
from tests.support.aws import AwsApi

_LAMBDA = "arn:aws:lambda:us-west-2:123456789012:function:ecs-hooks-"
ROLE = "arn:aws:iam::123456789012:role/ecs-hooks-InvokeRole"
OWN: dict[str, Any] = {
    "hookTargetArn": "arn:aws:lambda:us-west-2:123456789012:function:own",
    "roleArn": ROLE,
    "lifecycleStages": ["POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"],
}
PAUSE: dict[str, Any] = {
    "targetType": "PAUSE",
    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
    "timeoutConfiguration": {"timeoutInMinutes": 10, "action": "ROLLBACK"},
}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")


def service(aws: AwsApi, *hooks: dict[str, Any]) -> None:
    configuration = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5, "lifecycleHooks": list(hooks)}
    aws.answer("DescribeServices", {"services": [{"serviceName": "web", "deploymentConfiguration": configuration}]})
    outputs = {
        "InvokeRoleArn": ROLE,
        **{f"{name}Arn": f"{_LAMBDA}{name}" for name in ("PreScaleUp", "PostTestTrafficShift")},
    }
    described = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stack = {"StackName": "ecs-hooks", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": described}
    aws.answer("DescribeStacks", {"Stacks": [stack]})
    aws.answer("UpdateService", {"service": {}})


def sent(aws: AwsApi) -> list[dict[str, Any]]:
    (asked,) = aws.asked["UpdateService"]
    assert (asked["cluster"], asked["service"]) == ("prod", "web")
    configuration = asked["deploymentConfiguration"]
    assert (configuration["strategy"], configuration["bakeTimeInMinutes"]) == ("BLUE_GREEN", 5)
    hooks: list[dict[str, Any]] = configuration["lifecycleHooks"]
    return hooks


def plan(folder: Path, **fields: Any) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps({"checks": [{"type": "http", "path": "/health"}], **fields}))
    return file


def test_hooks_are_listed(run: Run, aws: AwsApi) -> None:
    service(aws, OWN)
    assert json.loads(run("hooks", "prod/web").output) == [OWN]
    service(aws)
    assert run("hooks", "prod/web").output == "prod/web has no lifecycle hooks\n"


def test_attach_keeps_existing_hooks_and_shows_the_change(run: Run, aws: AwsApi, tmp_path: Path) -> None:
    service(aws, OWN, PAUSE)
    stages = ("--stage", "PRE_SCALE_UP", "--stage", "POST_TEST_TRAFFIC_SHIFT")
    result = run("attach", "prod/web", *stages, "--plan", plan(tmp_path), "--yes")

    assert result.exit_code == 0, result.output
    assert (
        '+    "hookTargetArn": "arn:aws:lambda:us-west-2:123456789012:function:ecs-hooks-PreScaleUp",' in result.output
    )
    assert result.output.endswith("prod/web has 4 lifecycle hooks now\n")
    own, pause, first, second = sent(aws)
    assert (own, pause) == (OWN, PAUSE)
    assert first == {
        "targetType": "AWS_LAMBDA",
        "hookTargetArn": f"{_LAMBDA}PreScaleUp",
        "roleArn": ROLE,
        "lifecycleStages": ["PRE_SCALE_UP"],
        "hookDetails": {"checks": [{"type": "http", "path": "/health"}]},
        "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
    }
    assert second["lifecycleStages"] == ["POST_TEST_TRAFFIC_SHIFT"]


def test_a_second_attach_replaces_the_hook_or_changes_nothing(run: Run, aws: AwsApi) -> None:
    service(aws)
    run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--yes")
    (attached,) = sent(aws)
    assert "hookDetails" not in attached
    service(aws, attached)
    aws.asked.clear()
    assert run("attach", "prod/web", "--stage", "PRE_SCALE_UP").output == "nothing to change\n"
    assert run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--timeout", "90", "--yes").exit_code == 0
    assert [hook["timeoutConfiguration"]["timeoutInMinutes"] for hook in sent(aws)] == [90]


def test_nothing_is_changed_without_confirmation(run: Run, aws: AwsApi) -> None:
    service(aws)
    result = run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--dry-run")
    assert result.output.endswith("nothing was changed (--dry-run)\n")
    refused = CliRunner().invoke(ecs_hooks, ["attach", "prod/web", "--stage", "PRE_SCALE_UP"], input="n\n")
    assert refused.exit_code == 1
    assert "Change the hooks of prod/web?" in refused.output
    assert "UpdateService" not in aws.calls


def test_an_invalid_plan_or_timeout_is_not_sent(run: Run, aws: AwsApi, tmp_path: Path) -> None:
    service(aws)
    wrong = run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--plan", plan(tmp_path, chekcs=1))
    assert "did you mean 'checks'?" in wrong.output
    late = run(
        "attach", "prod/web", "--stage", "PRE_SCALE_UP", "--plan", plan(tmp_path, timeout_minutes=60), "--timeout", "60"
    )
    assert "--timeout 60 must be more than the plan's timeout_minutes (60)" in late.output
    assert not aws.calls


def test_a_stack_without_the_output_is_an_error(run: Run, aws: AwsApi) -> None:
    service(aws)
    result = run("attach", "prod/web", "--stage", "POST_SCALE_UP", "--yes")
    assert "the stack ecs-hooks has no output PostScaleUpArn" in result.output
    assert "UpdateService" not in aws.calls


def of_stack(name: str, *stages: str, **fields: Any) -> dict[str, Any]:
    return {"hookTargetArn": f"{_LAMBDA}{name}", "roleArn": ROLE, "lifecycleStages": [*stages], **fields}


def test_detach_keeps_other_stages_and_pauses(run: Run, aws: AwsApi) -> None:
    both = of_stack("PostTestTrafficShift", "POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT")
    service(aws, both, PAUSE)
    run("detach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--yes")
    assert sent(aws) == [{**both, "lifecycleStages": ["POST_SCALE_UP"]}, PAUSE]

    service(aws, OWN, both, PAUSE)
    aws.asked.clear()
    result = run("detach", "prod/web", "--all", "--yes")
    assert sent(aws) == [PAUSE]
    assert result.output.endswith("prod/web has 1 lifecycle hook now\n")
    aws.answer("DescribeStacks", {"Stacks": []})
    assert run("detach", "prod/web", "--all", "--dry-run").exit_code == 0  # requires no stack


FORMS = (
    f"{_LAMBDA}PostTestTrafficShift",
    f"{_LAMBDA}PostTestTrafficShift:live",
    f"{_LAMBDA}PostTestTrafficShift:$LATEST",
    f"{_LAMBDA}PostTestTrafficShift:17",
    "123456789012:function:ecs-hooks-PostTestTrafficShift",
    "123456789012:function:ecs-hooks-PostTestTrafficShift:live",
    "function:ecs-hooks-PostTestTrafficShift",
    "ecs-hooks-PostTestTrafficShift",
    "ecs-hooks-PostTestTrafficShift:live",
)
OTHERS = (
    "arn:aws:lambda:us-west-2:123456789012:function:own",
    "arn:aws:lambda:us-west-2:123456789012:function:own:ecs-hooks-PostTestTrafficShift",
    f"{_LAMBDA}PostTestTrafficShift2",
    f"{_LAMBDA}posttesttrafficshift",
    "arn:aws:lambda:eu-west-1:123456789012:function:ecs-hooks-PostTestTrafficShift",
    "arn:aws:lambda:us-west-2:210987654321:function:ecs-hooks-PostTestTrafficShift",
    "210987654321:function:ecs-hooks-PostTestTrafficShift",
    "not an ARN",
)


@pytest.mark.parametrize("target", OTHERS)
def test_detach_from_a_stage_keeps_hooks_that_are_not_of_the_stack(run: Run, aws: AwsApi, target: str) -> None:
    other = of_stack("", "POST_TEST_TRAFFIC_SHIFT", hookTargetArn=target)
    service(aws, other, of_stack("PostTestTrafficShift", "POST_TEST_TRAFFIC_SHIFT"))
    result = run("detach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--yes")
    assert sent(aws) == [other]
    assert f"{target} stays at POST_TEST_TRAFFIC_SHIFT: it is not a function of the stack ecs-hooks\n" in result.output


@pytest.mark.parametrize("target", FORMS)
def test_detach_removes_the_stacks_hook_however_it_is_named(run: Run, aws: AwsApi, target: str) -> None:
    service(aws, OWN, of_stack("", "POST_TEST_TRAFFIC_SHIFT", hookTargetArn=target))
    run("detach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--yes")
    assert sent(aws) == [OWN]


@pytest.mark.parametrize("target", FORMS)
@pytest.mark.parametrize("stages", [["POST_TEST_TRAFFIC_SHIFT"], ["POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT"]])
def test_attach_updates_the_hook_that_is_there(
    run: Run, aws: AwsApi, tmp_path: Path, target: str, stages: list[str]
) -> None:
    service(aws, of_stack("", *stages, hookTargetArn=target, hookDetails={"mode": "observe"}), OWN, PAUSE)
    result = run(
        "attach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--plan", plan(tmp_path), "--timeout", "90", "--yes"
    )
    assert result.exit_code == 0, result.output
    updated, *rest = sent(aws)
    assert rest == [OWN, PAUSE]
    assert updated == {
        "targetType": "AWS_LAMBDA",
        "hookTargetArn": target,
        "roleArn": ROLE,
        "lifecycleStages": stages,
        "hookDetails": {"checks": [{"type": "http", "path": "/health"}]},
        "timeoutConfiguration": {"timeoutInMinutes": 90, "action": "ROLLBACK"},
    }
    assert ("POST_TEST_TRAFFIC_SHIFT and POST_SCALE_UP: the change is for all" in result.output) == (len(stages) > 1)


@pytest.mark.parametrize("target", OTHERS)
def test_attach_keeps_hooks_of_other_functions(run: Run, aws: AwsApi, target: str) -> None:
    other = of_stack("", "POST_TEST_TRAFFIC_SHIFT", hookTargetArn=target)
    service(aws, other)
    run("attach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--yes")
    kept, added = sent(aws)
    assert (kept, added["hookTargetArn"]) == (other, f"{_LAMBDA}PostTestTrafficShift")


def test_attach_leaves_one_hook_of_the_stack_at_a_stage(run: Run, aws: AwsApi) -> None:
    both = of_stack("PostTestTrafficShift", "PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT")
    service(aws, both, of_stack("PostTestTrafficShift:live", "POST_TEST_TRAFFIC_SHIFT"))
    run("attach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--yes")
    first, second = sent(aws)
    assert first == {**both, "lifecycleStages": ["PRE_SCALE_UP"]}
    assert (second["hookTargetArn"], second["lifecycleStages"]) == (
        f"{_LAMBDA}PostTestTrafficShift:live",
        ["POST_TEST_TRAFFIC_SHIFT"],
    )


def test_attach_moves_a_stage_from_the_function_of_another_stage(run: Run, aws: AwsApi) -> None:
    both = of_stack("PostTestTrafficShift", "PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT")
    service(aws, both)
    run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--yes")
    first, second = sent(aws)
    assert first == {**both, "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
    assert (second["hookTargetArn"], second["lifecycleStages"]) == (f"{_LAMBDA}PreScaleUp", ["PRE_SCALE_UP"])


def test_the_timeout_of_a_lambda_hook_is_at_most_a_day(run: Run, aws: AwsApi) -> None:
    service(aws)
    for wrong in ("0", "1441"):
        result = run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--timeout", wrong, "--yes")
        assert "is not in the range 1<=x<=1440" in result.output
    assert run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--timeout", "1440", "--yes").exit_code == 0
    assert sent(aws)[0]["timeoutConfiguration"]["timeoutInMinutes"] == 1440


@pytest.mark.parametrize("options", [[], ["--all", "--stage", "PRE_SCALE_UP"]])
def test_detach_requires_either_stages_or_all(run: Run, options: list[str]) -> None:
    result = run("detach", "prod/web", *options)
    assert result.exit_code == 2
    assert "give one of --stage and --all" in result.output


def test_a_pause_hook_without_its_timeout_is_not_sent_back(run: Run, aws: AwsApi) -> None:
    service(aws, {"lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]})
    result = run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--yes")
    assert result.exit_code == 1
    assert "does not return the timeoutConfiguration of an existing PAUSE hook" in result.output
    assert "UpdateService" not in aws.calls


def test_errors_of_aws_are_one_line(run: Run, aws: AwsApi) -> None:
    service(aws)
    aws.error("UpdateService", "AccessDeniedException")
    assert (
        "ecs:UpdateService: AccessDeniedException"
        in run("attach", "prod/web", "--stage", "PRE_SCALE_UP", "--yes").output
    )
    aws.answer("DescribeServices", {"services": []})
    assert "service not found" in run("hooks", "web").output


SECRET_PLAN = {
    "base_url": "http://me:hunter2@a",
    "headers": {"X-Functions-Key": "f00bar"},
    "own": {"password": "hunter3"},
}


def test_credentials_in_hook_details_are_not_shown(run: Run, aws: AwsApi) -> None:
    service(aws, {**OWN, "hookDetails": SECRET_PLAN})

    (shown,) = json.loads(run("hooks", "prod/web").output)

    assert shown == {
        **OWN,
        "hookDetails": {
            "base_url": "http://***@a",
            "headers": {"X-Functions-Key": "***"},
            "own": {"password": "***"},
        },
    }


def test_attach_shows_that_a_credential_changes_but_not_the_credential(run: Run, aws: AwsApi, tmp_path: Path) -> None:
    hook = of_stack("PostTestTrafficShift", "POST_TEST_TRAFFIC_SHIFT", roleArn=ROLE)
    before, after = ({"X-Functions-Key": key, "X-Api-Key": "same-k3y"} for key in ("old-k3y", "new-k3y"))
    checks = [{"type": "http", "path": "/health", "headers": before}]
    service(aws, {**hook, "hookDetails": {"checks": checks}})
    file = plan(tmp_path, checks=[{"type": "http", "path": "/health", "headers": after}])

    result = run("attach", "prod/web", "--stage", "POST_TEST_TRAFFIC_SHIFT", "--plan", file, "--yes")

    assert "k3y" not in result.output
    changed = [
        line[0] for line in result.output.splitlines() if line.startswith(("+ ", "- ")) and "X-Functions-Key" in line
    ]
    assert changed == ["-", "+"]
    assert not [line for line in result.output.splitlines() if line.startswith(("+ ", "- ")) and "X-Api-Key" in line]
    (updated,) = sent(aws)
    assert updated["hookDetails"]["checks"][0]["headers"] == after
