from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks_simulator.core.timeline import DeploymentCreated, HookReported
from tests.cli.conftest import Run
from tests.cli.report.document import Document

PLAN = {
    "checks": [
        {"type": "http", "name": "health", "path": "/health"},
        {
            "type": "http",
            "name": "upload",
            "method": "POST",
            "path": "/process",
            "multipart": {"file": {"filename": "a.txt", "content": "hello", "content_type": "text/plain"}},
            "expect": {"json": {"$.size": 5}},
        },
    ]
}
BROKEN = """
import os
os.environ["STORE"] = "/nonexistent"
from ecs_hooks_simulator.codedeploy.lambda_functions.demo_function import lambda_handler
"""
SILENT = "def lambda_handler(event, context):\n    return None\n"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN))
    return file


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """A green that takes no uploads, for each controller."""
    file = tmp_path / "broken.py"
    file.write_text(BROKEN)
    command = f"env VERSION=2 STORE=/nonexistent {sys.executable} -m ecs_hooks_simulator.demo_app"
    return {"ecs": command, "codedeploy-ecs": command, "codedeploy-lambda": f"{file}:lambda_handler"}


CONTROLLERS = ("ecs", "codedeploy-ecs", "codedeploy-lambda")


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_plan_passes_under_all_controllers(run: Run, plan: Path, controller: str) -> None:
    result = run("simulate", "--controller", controller, "--plan", plan, "--bake-time", 0)
    if controller == "codedeploy-lambda":
        assert result.exit_code == 2
        assert "CodeDeploy keeps no old version of a function" in result.output
        result = run("simulate", "--controller", controller, "--plan", plan)

    assert result.exit_code == 0, result.output
    assert 'check    PASS  http "upload" POST http://127.0.0.1:' in result.output
    assert "SUCCESSFUL" in result.output


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_plan_rolls_back_under_all_controllers(
    run: Run, plan: Path, broken: dict[str, str], controller: str
) -> None:
    options = ("--controller", controller, "--plan", plan, "--green", broken[controller])
    result = run("simulate", *options, "--expect", "ROLLBACK_SUCCESSFUL")

    assert result.exit_code == 0, result.output
    assert "status 500, expected 2xx" in result.output
    assert "ROLLBACK_SUCCESSFUL" in result.output
    assert "as it should" in result.output
    assert run("simulate", *options).exit_code == 1


def test_codedeploy_is_shown_while_it_deploys(run: Run, plan: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    options = ("--deployment-config", "Canary10Percent5Minutes", "--fault", "errors=100%@100%", "--report", page)
    result = run("simulate", "--controller", "codedeploy-ecs", "--plan", plan, *options)
    document = Document(page.read_text(encoding="utf-8"))

    assert result.exit_code == 1
    for shown in (
        "CodeDeployDefault.ECSCanary10Percent5Minutes: 10 % for 5 minutes, then all",
        "deployment   Queued",
        "stage        AfterAllowTestTraffic",
        "hook       Succeeded  CodeDeploy has been told",
        "0:05:00    traffic    production listener: green",
        "0:05:00  stage        AfterAllowTraffic",
        "hook       Failed  CodeDeploy has been told",
        "deployment   Failed  One or more of the lifecycle event validation functions failed. AfterAllowTraffic: ",
        "rolls back d-",
        "stage        AllowTraffic  rolling back",
        "Failed               ROLLBACK_SUCCESSFUL, not SUCCESSFUL  deployment by CodeDeploy",
    ):
        assert shown in result.output
    assert list(document.mistakes()) == []
    for shown in (
        "Rolled back: blue serves",
        "not as expected",
        "AfterAllowTestTraffic",
        "told CodeDeploy Failed",
        "Canary10Percent5Minutes: 10 % for 5 minutes, then all; blue is kept for 15 minutes",
        ", rolls back d-",
    ):
        assert shown in document.text


def test_a_function_as_a_page(run: Run, plan: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    result = run("simulate", "--controller", "codedeploy-lambda", "--plan", plan, "--report", page)
    document = Document(page.read_text(encoding="utf-8"))

    assert result.exit_code == 0, result.output
    assert list(document.mistakes()) == []
    for shown in (
        "Green serves",
        "my-function",
        "demo application 2",
        "CodeDeployDefault.LambdaAllAtOnce: all at once",
    ):
        assert shown in document.text


def test_a_hook_that_says_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text(SILENT)
    page = tmp_path / "out.html"
    hook = f"POST_TEST_TRAFFIC_SHIFT={tmp_path / 'silent.py'}"
    result = run("simulate", "--controller", "codedeploy-ecs", "--hook", hook, "--report", page)

    assert result.exit_code == 1
    assert "no valid answer  no status was reported to CodeDeploy" in result.output
    assert "1:00:00    hook       TimedOut" in result.output
    assert "told CodeDeploy nothing within an hour" in Document(page.read_text(encoding="utf-8")).text


def test_for_programs(run: Run, plan: Path) -> None:
    result = run("simulate", "--controller", "codedeploy-ecs", "--plan", plan, "--bake-time", 0, "--json")
    records: list[dict[str, Any]] = [json.loads(line) for line in result.output.splitlines()]
    checks = {each["stage"] for each in records if each["kind"] == "check"}

    assert result.exit_code == 0
    assert {DeploymentCreated.kind, HookReported.kind} <= {each["kind"] for each in records}
    assert checks == {
        "BeforeInstall",
        "AfterInstall",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AfterAllowTraffic",
    }
    assert (records[-1]["status"], records[-1]["outcome"]) == ("Succeeded", "SUCCESSFUL")


def test_before_install_nothing_is_rolled_back(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"PRE_SCALE_UP": {"checks": [{"type": "nonsense"}]}}))
    options = ("--plan", tmp_path / "plan.json", "--expect", "STOPPED")
    result = run("simulate", "--controller", "codedeploy-ecs", *options)

    assert result.exit_code == 0, result.output
    assert "Failed               STOPPED, as it should" in result.output


def test_a_plan_for_a_stage_that_a_function_does_not_have(run: Run, tmp_path: Path) -> None:
    plans = {"PRE_SCALE_UP": {"checks": []}, "POST_TEST_TRAFFIC_SHIFT": PLAN, "POST_PRODUCTION_TRAFFIC_SHIFT": PLAN}
    (tmp_path / "plan.json").write_text(json.dumps(plans))
    result = run("simulate", "--controller", "codedeploy-lambda", "--plan", tmp_path / "plan.json")

    assert result.exit_code == 0, result.output
    assert "The plan for PRE_SCALE_UP is left out: in a deployment to Lambda hooks are at" in result.output
    assert result.output.count('PASS  http "upload"') == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--deployment-config", "Canary10Percent5Minutes"), "--deployment-config is for --controller codedeploy-ecs"),
        (("--controller", "codedeploy-ecs", "--strategy", "CANARY"), "--strategy is for --controller ecs"),
        (("--controller", "codedeploy-ecs", "--timeout", "5"), "CodeDeploy waits for an hour"),
        (("--controller", "codedeploy-ecs", "--lambda-endpoint", "http://a"), "--lambda-endpoint is for"),
        (("--controller", "codedeploy-ecs", "--deployment-config", "Often"), "Often is not a deployment configuration"),
        (("--controller", "codedeploy-ecs", "--bake-time", "3000"), "--bake-time"),
        (("--controller", "codedeploy-lambda", "--green", "./serve"), "MODULE:FUNCTION or FILE.py:FUNCTION"),
        (("--controller", "codedeploy-ecs", "--behaviour", "numbers=int"), "known names: function_error"),
        (("--controller", "codedeploy-ecs", "--behaviour", "precision=never"), "precision can be next-minute"),
        (("--controller", "codedeploy-ecs", "--fault", "hang@0%"), "with CodeDeployDefault.ECSAllAtOnce: 100 %"),
        (("--controller", "codedeploy-lambda", "--alarm", "a: RequestCount Sum > 1"), "use AWS/Lambda"),
        (("--alarm", "a: Errors Sum > 1"), "use AWS/ApplicationELB"),
    ],
)
def test_options_that_do_not_go_together(run: Run, options: tuple[str, ...], told: str) -> None:
    result = run("simulate", *options)

    assert result.exit_code == 2
    assert told in result.output


def test_a_hook_at_a_stage_without_a_lifecycle_event(run: Run, tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text(SILENT)
    hook = f"TEST_TRAFFIC_SHIFT={tmp_path / 'silent.py'}"
    result = run("simulate", "--controller", "codedeploy-ecs", "--hook", hook)

    assert result.exit_code == 2
    assert "hooks are at PRE_SCALE_UP (BeforeInstall), POST_SCALE_UP (AfterInstall)" in result.output
