from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks_simulator.core.timeline import DeploymentCreated, HookReported
from tests.cli.conftest import Run
from tests.cli.report.document import Document

OWN = """
from ecs_hooks import Hook, lifecycle_hook

@lifecycle_hook
def lambda_handler(hook: Hook):
    print("to the log")
    return hook.failed("green lists no orders")

@lifecycle_hook
def slow(hook: Hook):
    return hook.wait("for a sign", retry_after=600)

def fine(event, context):
    return {"hookStatus": "SUCCEEDED"}

def raising(event, context):
    raise ValueError("no reason")
"""
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
def own(tmp_path: Path) -> Path:
    file = tmp_path / "my_hook.py"
    file.write_text(OWN)
    return file


def test_a_report_can_be_written_beside_json_output(run: Run, own: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.html"
    options = ("--strategy", "LINEAR", "--step-percent", 50, "--bake-time", 0, "--requests-per-minute", 4)
    result = run("simulate", "--hook", f"PRE_SCALE_UP={own}", *options, "--json", "--report", file)
    page = Document(file.read_text(encoding="utf-8"))
    checks = [each for each in map(json.loads, result.output.splitlines()) if each["kind"] == "check"]

    assert result.exit_code == 1
    assert list(page.mistakes()) == []
    assert "not as expected" in page.text
    assert "green lists no orders" in page.text
    assert "LINEAR: 50 % more every 6 minutes; bake time 0 minutes" in page.text
    assert [(each["stage"], each["time"] > 0, each["evidence"]) for each in checks] == [("PRE_SCALE_UP", True, {})]


def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_played(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--report", tmp_path / "nowhere" / "out.html")

    assert result.exit_code == 2
    assert "No such file or directory" in result.output
    assert "stage" not in result.output


def test_a_custom_hook_decides(run: Run, own: Path, tmp_path: Path) -> None:
    options = ("--hook", f"POST_SCALE_UP={own}", "--bake-time", 0, "--logs", tmp_path / "log")
    result = run("simulate", *options)

    assert result.exit_code == 1
    assert "green lists no orders" in result.output
    assert "to the log" not in result.output
    assert "to the log" in (tmp_path / "log").read_text()
    assert run("simulate", *options, "--expect", "ROLLBACK_SUCCESSFUL").exit_code == 0


def test_a_hook_that_waits_is_invoked_again_in_virtual_time(run: Run, own: Path) -> None:
    result = run("simulate", "--hook", f"PRE_SCALE_UP={own}:slow", "--expect", "ROLLBACK_SUCCESSFUL")

    assert result.exit_code == 0, result.output
    assert "asked again (attempt 4)" in result.output
    assert "0:30:00    hook       FAILED" in result.output
    assert "undecided after 30 minutes" in result.output


def test_a_function_that_raises_is_shown_with_its_error(run: Run, own: Path) -> None:
    result = run("simulate", "--hook", f"PRE_SCALE_UP={own}:raising", "--expect", "ROLLBACK_SUCCESSFUL")

    assert "no valid answer  ValueError: no reason" in result.output
    assert "HookStatus must not be null" in result.output


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_plan_is_the_hook_details_of_a_stage(run: Run, tmp_path: Path, *, wrapped: bool) -> None:
    plan: Any = {"checks": [{"type": "http", "name": "own", "path": "/nowhere"}]}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"POST_TEST_TRAFFIC_SHIFT": plan} if wrapped else plan))

    result = run("simulate", "--plan", file, "--behaviour", "hook_details_merge=deep")

    assert result.exit_code == 1
    assert 'http "own" GET http://127.0.0.1:' in result.output
    assert "status 404, expected 2xx" in result.output


def test_a_custom_application_that_does_not_start_is_an_error(run: Run, own: Path) -> None:
    result = run(
        "simulate", "--hook", f"PRE_SCALE_UP={own}:slow", "--green", "/nonexistent/app", "--blue", "/bin/false"
    )

    assert result.exit_code == 1
    assert "Error: /bin/false ended with exit code 1" in result.output


def test_functions_behind_a_lambda_endpoint(run: Run) -> None:
    result = run(
        *("simulate", "--lambda-endpoint", "http://127.0.0.1:9", "--function", "PRE_SCALE_UP=PreScaleUp"),
        *("--expect", "ROLLBACK_SUCCESSFUL", "--bake-time", 0),
    )

    assert result.exit_code == 0, result.output
    assert "ECS was unable to invoke hook target" in result.output


def test_canary_and_linear_move_traffic_in_steps(run: Run, own: Path) -> None:
    hook = ("--hook", f"PRODUCTION_TRAFFIC_SHIFT={own}:slow", "--expect", "ROLLBACK_SUCCESSFUL")
    canary = run("simulate", *hook, "--strategy", "CANARY", "--step-percent", 20)
    linear = run("simulate", *hook, "--strategy", "LINEAR", "--step-percent", 50, "--step-bake-time", 1)

    assert canary.exit_code == linear.exit_code == 0, canary.output
    assert "green (" in canary.output
    assert ") 20 %, blue (" in canary.output
    assert ") 50 %, blue (" in linear.output
    assert "LINEAR deployment" in linear.output


def test_a_fault_is_shown_and_detected(run: Run) -> None:
    expected = ("--expect", "ROLLBACK_SUCCESSFUL")
    result = run("simulate", "--strategy", "canary", "--fault", "errors=100%@50%", *expected)
    crash = run("simulate", "--strategy", "linear", "--step-percent", 50, "--fault", "crash", "--json", *expected)

    assert result.exit_code == crash.exit_code == 0, result.output
    assert "0:10:00  fault        errors=100%  in green from now on (100 % of the production traffic)" in result.output
    assert "status 500, expected 2xx or 3xx" in result.output
    records = [json.loads(line) for line in crash.output.splitlines()]
    (fault,) = [each for each in records if each["kind"] == "fault-injected"]
    assert (fault["fault"], fault["stage"], fault["percent"]) == ("crash", "POST_SCALE_UP", 0)
    checks = [each["message"] for each in records if each["kind"] == "check" and each["outcome"] == "FAIL"]
    assert any("exit code 137" in message for message in checks)


def test_an_alarm_is_shown_and_rolls_back(run: Run, own: Path, tmp_path: Path) -> None:
    file = tmp_path / "alarms.json"
    slow = {
        "AlarmName": "slow",
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "TargetResponseTime",
        "ExtendedStatistic": "p99",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 20,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [],
        "StateValue": "OK",
    }
    options: list[Any] = ["simulate", "--hook", f"PRE_SCALE_UP={own}:fine", "--fault", "latency=30s"]
    options += ["--alarms", file, "--alarm", "api-5xx: HTTPCode_Target_5XX_Count Sum > 5"]
    outputs = []
    for content in (slow, [slow], {"MetricAlarms": [slow], "CompositeAlarms": []}):
        file.write_text(json.dumps(content))
        result = run(*options, "--expect", "ROLLBACK_SUCCESSFUL")
        assert result.exit_code == 0, result.output
        outputs.append(result.output)

    for output in outputs:
        assert "0:00:00  fault        latency=30s  in green from now on\n" in output
        # The latency of the application is added.
        crossed = r"0:02:05    alarm      ALARM  slow: Threshold Crossed: 2 out of the last 2 datapoints \[3\d[.\d]*, 3\d[.\d]*\]"
        assert re.search(crossed, output)
        assert "api-5xx:" not in output
        assert "0:02:10  deployment   ROLLBACK_IN_PROGRESS  Service deployment rolled back because of one" in output


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN))
    return file


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """A green that rejects uploads, for each controller."""
    file = tmp_path / "broken.py"
    file.write_text(BROKEN)
    command = f"env VERSION=2 STORE=/nonexistent {sys.executable} -m ecs_hooks_simulator.demo_app"
    return {"ecs": command, "codedeploy-ecs": command, "codedeploy-lambda": f"{file}:lambda_handler"}


CONTROLLERS = ("ecs", "codedeploy-ecs", "codedeploy-lambda")


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_plan_passes_under_all_controllers(run: Run, plan: Path, controller: str) -> None:
    bake_time = () if controller == "codedeploy-lambda" else ("--bake-time", 0)
    result = run("simulate", "--controller", controller, "--plan", plan, *bake_time)

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


def test_a_deployment_by_codedeploy_is_shown_and_reported(run: Run, plan: Path, tmp_path: Path) -> None:
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
        "reported Failed to CodeDeploy",
        "Canary10Percent5Minutes: 10 % for 5 minutes, then all; blue is kept for 15 minutes",
        ", rolls back d-",
    ):
        assert shown in document.text


def test_the_report_of_a_lambda_deployment(run: Run, plan: Path, tmp_path: Path) -> None:
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


def test_a_hook_that_reports_nothing_to_codedeploy_times_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text(SILENT)
    page = tmp_path / "out.html"
    hook = f"POST_TEST_TRAFFIC_SHIFT={tmp_path / 'silent.py'}"
    result = run("simulate", "--controller", "codedeploy-ecs", "--hook", hook, "--report", page)

    assert result.exit_code == 1
    assert "no valid answer  no status was reported to CodeDeploy" in result.output
    assert "1:00:00    hook       TimedOut" in result.output
    assert "no status reported to CodeDeploy within an hour" in Document(page.read_text(encoding="utf-8")).text


def test_json_output_under_codedeploy_names_lifecycle_events(run: Run, plan: Path) -> None:
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


def test_a_failure_before_install_is_not_rolled_back(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"PRE_SCALE_UP": {"checks": [{"type": "nonsense"}]}}))
    options = ("--plan", tmp_path / "plan.json", "--expect", "STOPPED")
    result = run("simulate", "--controller", "codedeploy-ecs", *options)

    assert result.exit_code == 0, result.output
    assert "Failed               STOPPED, as it should" in result.output


def test_a_plan_for_a_stage_without_a_lifecycle_event_is_left_out(run: Run, tmp_path: Path) -> None:
    plans = {"PRE_SCALE_UP": {"checks": []}, "POST_TEST_TRAFFIC_SHIFT": PLAN, "POST_PRODUCTION_TRAFFIC_SHIFT": PLAN}
    (tmp_path / "plan.json").write_text(json.dumps(plans))
    result = run("simulate", "--controller", "codedeploy-lambda", "--plan", tmp_path / "plan.json")

    assert result.exit_code == 0, result.output
    assert "The plan for PRE_SCALE_UP is left out: in a deployment to Lambda hooks are at" in result.output
    assert result.output.count('PASS  http "upload"') == 2


@pytest.mark.parametrize(("strategy", "lines"), [("LINEAR", 3), ("CANARY", 1), ("BLUE_GREEN", 1)])
def test_advice_by_the_options_plays_no_deployment(run: Run, strategy: str, lines: int) -> None:
    output = run("simulate", "--advice", "--strategy", strategy, "--requests-per-minute", "600").output.splitlines()

    assert len(output) == lines
    assert all("requests a minute): latency +10 % p50 in " in each for each in output)
