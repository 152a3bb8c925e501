from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs
from cfnlint.decode import cfn_yaml

from tests.examples.layouts import EXAMPLES, LAYOUTS, Hook, assert_well_attached, filled_in, stack


def path_of(layout: str) -> Path:
    return EXAMPLES / "cloudformation" / f"{layout}.yaml"


def mistakes(path: Path) -> list[str]:
    return [str(match) for match in lint_file(path, config=ManualArgs(regions=["us-east-1"]))]


def service(layout: str) -> Any:
    return cfn_yaml.load(str(path_of(layout)))["Resources"]["Service"]["Properties"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cfn_lint_finds_nothing(layout: str) -> None:
    assert mistakes(path_of(layout)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("HookDetails:", "HookDetail:"),
        ("[POST_TEST_TRAFFIC_SHIFT]", "[BAKE_TIME]"),
        ("Action: ROLLBACK", "Action: STOP"),
    ],
)
def test_cfn_lint_would_find_something(tmp_path: Path, right: str, wrong: str) -> None:
    text = path_of("nlb").read_text()
    assert right in text
    (tmp_path / "nlb.yaml").write_text(text.replace(right, wrong))

    assert mistakes(tmp_path / "nlb.yaml")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_hooks_are_well_attached(layout: str) -> None:
    exported = {
        output["Export"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "ecs-hooks")
        for output in stack()["Outputs"].values()
    }
    hooks = []
    for hook in service(layout)["DeploymentConfiguration"]["LifecycleHooks"]:
        target = hook["HookTargetArn"]["Fn::ImportValue"]
        assert {target, hook["RoleArn"]["Fn::ImportValue"]} <= exported
        hooks.append(
            Hook(
                function=target.removeprefix("ecs-hooks-"),
                stages=hook["LifecycleStages"],
                details=json.loads(filled_in(hook["HookDetails"]["Fn::Sub"])),
                timeout_in_minutes=hook["TimeoutConfiguration"]["TimeoutInMinutes"],
                action=hook["TimeoutConfiguration"]["Action"],
            )
        )

    assert_well_attached(layout, hooks)
