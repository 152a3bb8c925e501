from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from tests.examples.layouts import EXAMPLES, LAYOUTS, ROOT, Hook, assert_well_attached, filled_in

PYTHON = ROOT / ".venv-cdk" / "bin" / "python"
BASE_URLS = {"alb_test_header": "http://lb.example.com", "service_connect": "http://front.example.com"}
CONTEXT = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cluster": "my-cluster",
    "image": "my-image:1.2.3",
    "namespace": "my-namespace",
    "front_url": "http://front.example.com",
    # What `cdk` looks up in the account, and keeps in cdk.context.json.
    "vpc-provider:account=123456789012:filter.vpc-id=vpc-0123456789abcdef0:region=us-west-2:"
    "returnAsymmetricSubnets=true": {
        "vpcId": "vpc-0123456789abcdef0",
        "vpcCidrBlock": "10.0.0.0/16",
        "ownerAccountId": "123456789012",
        "availabilityZones": [],
        "subnetGroups": [
            {
                "name": "private",
                "type": "Private",
                "subnets": [
                    {
                        "subnetId": f"subnet-0123456789abcdef{number}",
                        "cidr": f"10.0.{number}.0/24",
                        "availabilityZone": f"us-west-2{zone}",
                        "routeTableId": f"rtb-0123456789abcdef{number}",
                    }
                    for number, zone in enumerate("ab")
                ],
            }
        ],
    },
}


def hooks_written_in(source: str, base_url: str) -> list[Hook]:
    """Read the calls of `hook(stack, function, stage, plan(...))`, and call those functions that return a plan."""
    tree = ast.parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    plans = [node for node in functions.values() if [each.arg for each in node.args.args] == ["base_url"]]
    names: dict[str, Any] = {"Any": Any}
    exec(compile(ast.Module(body=list(plans), type_ignores=[]), "plans", "exec"), names)
    literals = {
        key.value: value
        for node in ast.walk(functions["hook"])
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    }
    timeout = ast.literal_eval(literals["TimeoutConfiguration"])
    hooks = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="hook"),
                args=[_, ast.Constant(value=function), ast.Constant(value=stage), ast.Call(func=ast.Name(id=plan))],
            ):
                details = names[plan](base_url)
                hooks.append(Hook(str(function), [str(stage)], details, timeout["TimeoutInMinutes"], timeout["Action"]))
    return hooks


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_compiles_and_its_hooks_are_well_attached(layout: str) -> None:
    source = (EXAMPLES / "cdk" / f"{layout}.py").read_text()
    compile(source, layout, "exec")

    assert_well_attached(layout, hooks_written_in(source, BASE_URLS.get(layout, "http://lb.example.com:8080")))


@pytest.mark.e2e
@pytest.mark.skipif(not PYTHON.exists() or not shutil.which("node"), reason="needs .venv-cdk (make e2e) and node")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_synthesized_to_a_template_in_which_cfn_lint_finds_nothing(tmp_path: Path, layout: str) -> None:
    subprocess.run(
        [PYTHON, EXAMPLES / "cdk" / f"{layout}.py"],
        env={
            **os.environ,
            "CDK_OUTDIR": str(tmp_path),
            "CDK_CONTEXT_JSON": json.dumps(CONTEXT),
            "CDK_DEFAULT_ACCOUNT": "123456789012",
            "CDK_DEFAULT_REGION": "us-west-2",
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    template = tmp_path / "orders.template.json"
    found = lint_file(template, config=ManualArgs(regions=["us-west-2"]))
    # CDK writes down dependencies that references imply already.
    assert [str(match) for match in found if match.rule.id != "W3005"] == []

    resources = json.loads(template.read_text())["Resources"].values()
    (service,) = [each["Properties"] for each in resources if each["Type"] == "AWS::ECS::Service"]
    hooks = [
        Hook(
            function=hook["HookTargetArn"]["Fn::ImportValue"].removeprefix("ecs-hooks-"),
            stages=hook["LifecycleStages"],
            details=json.loads(joined(hook["HookDetails"])),
            timeout_in_minutes=hook["TimeoutConfiguration"]["TimeoutInMinutes"],
            action=hook["TimeoutConfiguration"]["Action"],
        )
        for hook in service["DeploymentConfiguration"]["LifecycleHooks"]
    ]
    assert_well_attached(layout, hooks)
    if layout == "service_connect":
        (alias,) = service["ServiceConnectConfiguration"]["Services"][0]["ClientAliases"]
        assert alias["TestTrafficRules"]["Header"] == {"Name": "X-Environment", "Value": {"Exact": "test"}}
    else:
        assert set(service["LoadBalancers"][0]["AdvancedConfiguration"]) == {
            "AlternateTargetGroupArn",
            "ProductionListenerRule",
            "RoleArn",
            "TestListenerRule",
        }


def joined(value: Any) -> str:
    """Return what CloudFormation makes of a string in parts."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else filled_in("${name}") for part in value["Fn::Join"][1])
