from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks_cli.play.playback import PipedConsole
from ecs_hooks_simulator import CallableTarget, LifecycleHook, Service
from tests.cli.conftest import ROOT, Run
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


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "my_hook.py"
    file.write_text(OWN)
    return file


def test_the_demo_shows_a_pass_and_a_rollback(run: Run) -> None:
    result = run("demo")

    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "version 1, starts behind a load balancer" in lines[0]
    for shown in (
        "stage        POST_TEST_TRAFFIC_SHIFT",
        "traffic    production listener: green",
        'check    PASS  http "upload" POST http://127.0.0.1:',
        'check    FAIL  http "upload" POST http://127.0.0.1:',
        "status 500, expected 2xx",
        "check    PASS  golden_signals",
        "0:21:00  deployment   SUCCESSFUL",
        "deployment   ROLLBACK_SUCCESSFUL  Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT",
        "SUCCESSFUL           as it should  a good green",
        "ROLLBACK_SUCCESSFUL  as it should  a broken green",
    ):
        assert shown in result.output
    assert '{"level"' not in result.output
    assert "_aws" not in result.output


def test_the_demo_for_programs(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--json", "--logs", tmp_path / "log")

    assert result.exit_code == 0
    records: list[dict[str, Any]] = [json.loads(line) for line in result.output.splitlines()]
    assert {"status-changed", "stage-entered", "traffic-shifted", "hook-answered", "check"} <= {
        each["kind"] for each in records
    }
    assert [each["status"] for each in records[-2:]] == ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL"]
    assert all(each["asExpected"] for each in records[-2:])
    assert '"verdict":"FAILED"' in (tmp_path / "log").read_text()


def test_the_demo_fails_where_a_deployment_does_not_end_as_it_should(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pre_scale_up.py").write_text(OWN)

    result = run("demo", "--hooks", tmp_path)

    assert result.exit_code == 1
    assert "ROLLBACK_SUCCESSFUL  not SUCCESSFUL" in result.output


def test_a_play_as_a_page(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.html"
    result = run("demo", "--report", file)
    page = Document(file.read_text(encoding="utf-8"))

    assert result.exit_code == 0, result.output
    assert f"Report: {file}" in result.output
    assert list(page.mistakes()) == []
    assert page.texts("title")[0] == "SUCCESSFUL, ROLLBACK_SUCCESSFUL - my-service - ecs-hooks"
    for shown in (
        "Green serves",
        "Rolled back: blue serves",
        'POST_TEST_TRAFFIC_SHIFT, check http "upload"',
        "status 500, expected 2xx",
        "demo application 3",
        "latency (ms): ",
        "; limit 2,000",
        "slowest p99 (s): ",
        "Not counted: what came through the test listener, ",
    ):
        assert shown in page.text
    # Ten users a minute found green; those of the very last moment may be counted to the second deployment.
    requests = [int(each) for each in re.findall(r"requests (\d+) errors", page.text)]
    assert requests[0] >= 190


def test_a_linear_play_as_a_page_for_programs_too(run: Run, own: Path, tmp_path: Path) -> None:
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


def test_a_page_that_can_not_be_written_is_said_before_anything_is_played(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--report", tmp_path / "nowhere" / "out.html")

    assert result.exit_code == 2
    assert "No such file or directory" in result.output
    assert "stage" not in result.output


def test_a_hook_of_ones_own(run: Run, own: Path, tmp_path: Path) -> None:
    options = ("--hook", f"POST_SCALE_UP={own}", "--bake-time", 0, "--logs", tmp_path / "log")
    result = run("simulate", *options)

    assert result.exit_code == 1
    assert "green lists no orders" in result.output
    assert "to the log" not in result.output
    assert "to the log" in (tmp_path / "log").read_text()
    assert run("simulate", *options, "--expect", "ROLLBACK_SUCCESSFUL").exit_code == 0


def test_a_hook_that_waits_is_asked_again_in_virtual_time(run: Run, own: Path) -> None:
    result = run("simulate", "--hook", f"PRE_SCALE_UP={own}:slow", "--expect", "ROLLBACK_SUCCESSFUL")

    assert result.exit_code == 0, result.output
    assert "asked again (attempt 4)" in result.output
    assert "0:30:00    hook       FAILED" in result.output
    assert "undecided after 30 minutes" in result.output


def test_what_ecs_says_of_a_function_that_raises_is_shown(run: Run, own: Path) -> None:
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


def test_applications_of_ones_own(run: Run, own: Path) -> None:
    result = run(
        "simulate", "--hook", f"PRE_SCALE_UP={own}:slow", "--green", "/nonexistent/app", "--blue", "/bin/false"
    )

    assert result.exit_code == 1
    assert "Error: /bin/false ended with exit code 1" in result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--hook", "PRE_SCALE_UP"), "STAGE= is missing; stages: RECONCILE_SERVICE"),
        (("--hook", "BAKE_TIME=x.py"), "STAGE= is missing"),
        (("--hook", "PRE_SCALE_UP=/nonexistent.py"), "/nonexistent.py is no Python file"),
        (("--hook", "PRE_SCALE_UP=README.md"), "README.md is no Python file"),
        (("--hook", "PRE_SCALE_UP=hooks/pre_scale_up.py:nothing"), "hooks/pre_scale_up.py has no nothing"),
        (("--hooks", "docs"), "there is no hook to play with"),
        (("--lambda-endpoint", "http://127.0.0.1:9"), "there is no hook to play with"),
        (("--plan", "README.md"), "README.md: not JSON"),
        (("--behaviour", "merge=deep"), "known names: hook_details_merge"),
        (("--behaviour", "hook_details_merge="), "hook_details_merge can be shallow, deep, replace"),
    ],
)
def test_what_can_not_be_played_is_said(run: Run, options: tuple[str, ...], says: str) -> None:
    result = run("simulate", *options)

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_what_ecs_would_refuse_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        LifecycleHook(lifecycle_stages=["SCALE_UP"])

    monkeypatch.setattr("ecs_hooks_cli.play.simulate.LifecycleHook", refuse)

    result = run("simulate")

    assert result.exit_code == 2
    assert "Invalid lifecycle stage SCALE_UP" in result.output


def test_functions_behind_a_lambda_endpoint(run: Run) -> None:
    result = run(
        *("simulate", "--lambda-endpoint", "http://127.0.0.1:9", "--function", "PRE_SCALE_UP=PreScaleUp"),
        *("--expect", "ROLLBACK_SUCCESSFUL", "--bake-time", 0),
    )

    assert result.exit_code == 0, result.output
    assert "ECS was unable to invoke hook target" in result.output


def test_a_pause_is_shown(run: Run) -> None:
    from io import StringIO  # noqa: PLC0415 - only here

    from rich.console import Console  # noqa: PLC0415

    from ecs_hooks_cli.common.live import Lines  # noqa: PLC0415
    from ecs_hooks_simulator.ecs.controller import DeploymentController  # noqa: PLC0415

    out = StringIO()
    view = Lines(Console(file=out))
    hooks = [LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=5)]
    hooks.append(
        LifecycleHook(target=CallableTarget(stage_hook(Stage.PRE_SCALE_UP)), lifecycle_stages=["PRE_SCALE_UP"])
    )
    controller = DeploymentController(Service(service="api", lifecycle_hooks=hooks))
    controller.timeline.subscribe(view.record)
    controller.deploy()

    assert "pause      AWAITING_ACTION" in out.getvalue()
    assert "0:05:00    pause      TIMED_OUT" in out.getvalue()


def test_it_ends_in_silence_where_nobody_reads_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from ecs_hooks_cli import main; main()", "demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_a_broken_pipe_stays_one() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        PipedConsole(file=Gone()).print("anybody there?")


def test_a_canary_and_linear_steps(run: Run, own: Path) -> None:
    hook = ("--hook", f"PRODUCTION_TRAFFIC_SHIFT={own}:slow", "--expect", "ROLLBACK_SUCCESSFUL")
    canary = run("simulate", *hook, "--strategy", "CANARY", "--step-percent", 20)
    linear = run("simulate", *hook, "--strategy", "LINEAR", "--step-percent", 50, "--step-bake-time", 1)

    assert canary.exit_code == linear.exit_code == 0, canary.output
    assert "green (" in canary.output
    assert ") 20 %, blue (" in canary.output
    assert ") 50 %, blue (" in linear.output
    assert "LINEAR deployment" in linear.output


def test_a_fault_at_a_step_is_shown_and_seen(run: Run) -> None:
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


def test_an_alarm_that_goes_off_is_shown_and_rolls_back(run: Run, own: Path, tmp_path: Path) -> None:
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
        # What the application itself takes comes on top.
        crossed = r"0:02:05    alarm      ALARM  slow: Threshold Crossed: 2 out of the last 2 datapoints \[3\d[.\d]*, 3\d[.\d]*\]"
        assert re.search(crossed, output)
        assert "api-5xx:" not in output
        assert "0:02:10  deployment   ROLLBACK_IN_PROGRESS  Service deployment rolled back because of one" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--fault", "slow@50%"), "--fault slow@50%: unknown fault slow; known faults: latency, errors, hang, crash"),
        (
            ("--strategy", "CANARY", "--fault", "crash@110%"),
            "--fault crash@110%: green never gets 110 % of the production traffic; with CANARY: 5 %, 100 %",
        ),
        (("--alarm", "api-5xx"), "--alarm: 'api-5xx': expected NAME: METRIC STATISTIC OPERATOR THRESHOLD"),
        (
            ("--alarm", "a: CPUUtilization Sum > 5"),
            "--alarm and --alarms: metric CPUUtilization is not supported by the simulator",
        ),
        (("--alarm", "a: RequestCount Sum > 5", "--alarm", "a: RequestCount Sum > 6"), "alarm a: duplicate AlarmName"),
        (("--alarms", "README.md"), "--alarms README.md: not JSON"),
        (("--alarms", "EMPTY"), "the parameters of PutMetricAlarm are expected"),
        (("--alarms", "WRONG"), "alarm a: Treshold: unknown field"),
    ],
)
def test_faults_and_alarms_that_can_not_be(run: Run, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    files = {"EMPTY": tmp_path / "empty.json", "WRONG": tmp_path / "wrong.json"}
    files["EMPTY"].write_text("[]")
    files["WRONG"].write_text('[{"AlarmName": "a", "Treshold": 5}]')

    result = run("simulate", *(files.get(option, option) for option in options))

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--step-percent", 20), "are for the strategies LINEAR and CANARY"),
        (("--strategy", "LINEAR", "--step-percent", 1), "stepPercent must be between 3.0 and 100.0"),
        (("--strategy", "CANARY", "--step-bake-time", 2000), "canaryBakeTimeInMinutes must be between 0 and 1440"),
    ],
)
def test_steps_that_can_not_be(run: Run, own: Path, options: tuple[Any, ...], message: str) -> None:
    result = run("simulate", "--hook", f"PRE_SCALE_UP={own}", *options)

    assert result.exit_code == 2
    assert message in result.output
