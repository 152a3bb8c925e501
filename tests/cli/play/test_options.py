from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks_cli.play.options import plans
from ecs_hooks_simulator import LifecycleHook
from tests.cli.conftest import Run

ECS, LAMBDA = ("--controller", "codedeploy-ecs"), ("--controller", "codedeploy-lambda")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--hook", "PRE_SCALE_UP"), "STAGE= is missing; stages: RECONCILE_SERVICE"),
        (("--hook", "BAKE_TIME=x.py"), "STAGE= is missing"),
        (("--hook", "PRE_SCALE_UP=/nonexistent.py"), "/nonexistent.py is not a Python file"),
        (("--hook", "PRE_SCALE_UP=README.md"), "README.md is not a Python file"),
        (("--hook", "PRE_SCALE_UP=hooks/pre_scale_up.py:nothing"), "hooks/pre_scale_up.py has no nothing"),
        (("--hooks", "docs"), "there is no hook; give --hooks"),
        (("--lambda-endpoint", "http://127.0.0.1:9"), "there is no hook; give --hooks"),
        (("--plan", "README.md"), "README.md: is not JSON"),
        (("--behaviour", "merge=deep"), "known names: hook_details_merge"),
        (("--behaviour", "hook_details_merge="), "hook_details_merge can be shallow, deep, replace"),
        (("--fault", "slow@50%"), "--fault slow@50%: unknown fault slow; known faults: latency, errors, hang, crash"),
        (
            ("--strategy", "CANARY", "--fault", "crash@110%"),
            "--fault crash@110%: green never gets 110 % of the production traffic; with CANARY: 5 %, 100 %",
        ),
        (("--alarm", "api-5xx"), "--alarm: 'api-5xx': expected NAME: METRIC STATISTIC OPERATOR THRESHOLD"),
        (("--alarm", "a: Errors Sum > 1"), "use AWS/ApplicationELB"),
        (
            ("--alarm", "a: CPUUtilization Sum > 5"),
            "--alarm and --alarms: metric CPUUtilization is not supported by the simulator",
        ),
        (("--alarm", "a: RequestCount Sum > 5", "--alarm", "a: RequestCount Sum > 6"), "alarm a: duplicate AlarmName"),
        (("--alarms", "README.md"), "--alarms README.md: is not JSON"),
        (("--alarms", "EMPTY"), "must be the parameters of PutMetricAlarm"),
        (("--alarms", "WRONG"), "alarm a: Treshold: unknown field"),
        (("--step-percent", 20), "are for the strategies LINEAR and CANARY"),
        (("--strategy", "LINEAR", "--step-percent", 1), "stepPercent must be between 3.0 and 100.0"),
        (("--strategy", "CANARY", "--step-bake-time", 2000), "canaryBakeTimeInMinutes must be between 0 and 1440"),
        (("--deployment-config", "Canary10Percent5Minutes"), "--deployment-config is for --controller codedeploy-ecs"),
        ((*ECS, "--strategy", "CANARY"), "--strategy is for --controller ecs"),
        ((*ECS, "--timeout", "5"), "CodeDeploy waits for an hour"),
        ((*ECS, "--lambda-endpoint", "http://a"), "--lambda-endpoint is for"),
        ((*ECS, "--deployment-config", "Often"), "Often is not a deployment configuration"),
        ((*ECS, "--bake-time", "3000"), "--bake-time"),
        ((*ECS, "--behaviour", "numbers=int"), "known names: function_error"),
        ((*ECS, "--behaviour", "precision=never"), "precision can be next-minute"),
        ((*ECS, "--fault", "hang@0%"), "with CodeDeployDefault.ECSAllAtOnce: 100 %"),
        ((*LAMBDA, "--bake-time", 0), "CodeDeploy keeps no old version of a function"),
        ((*LAMBDA, "--green", "./serve"), "MODULE:FUNCTION or FILE.py:FUNCTION"),
        ((*LAMBDA, "--alarm", "a: RequestCount Sum > 1"), "use AWS/Lambda"),
        (
            (*ECS, "--hook", "TEST_TRAFFIC_SHIFT=hooks/test_traffic_shift.py"),
            "hooks are at PRE_SCALE_UP (BeforeInstall), POST_SCALE_UP (AfterInstall)",
        ),
    ],
)
def test_a_wrong_value_is_a_usage_error(run: Run, tmp_path: Path, options: tuple[Any, ...], message: str) -> None:
    files = {"EMPTY": tmp_path / "empty.json", "WRONG": tmp_path / "wrong.json"}
    files["EMPTY"].write_text("[]")
    files["WRONG"].write_text('[{"AlarmName": "a", "Treshold": 5}]')

    result = run("simulate", *(files.get(option, option) for option in options))

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_hook_that_ecs_would_refuse_is_a_usage_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        LifecycleHook(lifecycle_stages=["SCALE_UP"])

    monkeypatch.setattr("ecs_hooks_cli.play.options.LifecycleHook", refuse)

    result = run("simulate")

    assert result.exit_code == 2
    assert "Invalid lifecycle stage SCALE_UP" in result.output


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"service": "api", "checks": []}, {"POST_TEST_TRAFFIC_SHIFT": {"checks": []}}),
        ({"PRE_SCALE_UP": {"service": "api", "checks": []}}, {"PRE_SCALE_UP": {"checks": []}}),
        ([1], {"POST_TEST_TRAFFIC_SHIFT": [1]}),
    ],
)
def test_the_simulated_service_is_not_that_of_the_plan(tmp_path: Path, plan: Any, expected: Any) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))

    assert plans(file) == expected
