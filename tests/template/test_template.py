"""The role of each function allows what its code can ask AWS for at its stage, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

import ecs_hooks
from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import Check
from tests.checks.examples import EXAMPLES, check_of
from tests.conftest import load_event
from tests.support.aws import AwsApi, role_keys
from tests.support.layouts import NLB_LISTENER, brief, load_balancer, revision, running, task

ROOT = Path(__file__).resolve().parents[2]
LAYER = Path(ecs_hooks.__file__).parent
_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
_NOT_CALLED = {
    "execute-api:Invoke",
    "kms:Decrypt",
    "lambda:InvokeFunctionUrl",
    "vpc-lattice-svcs:Invoke",
}
"""What is done with the function's role, and no operation that the code calls: to decrypt, and whatever is signed."""
_WHOLE: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
TEMPLATE: dict[str, Any] = _WHOLE["Resources"]


_CODE_DEPLOY = "AnswerCodeDeploy"
"""The policy of functions that serve CodeDeploy as well, which tests/test_template_codedeploy.py is about."""


def function(stage: Stage) -> str:
    return stage.title().replace("_", "")


def statements(stage: Stage) -> Iterator[Mapping[str, Any]]:
    """Return what the role of a stage's function is allowed for ECS's own deployments."""
    role = TEMPLATE[f"{function(stage)}Role"]["Properties"]
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]
    for managed in map(given, role["ManagedPolicyArns"]):
        if "Ref" in managed and managed["Ref"] != _CODE_DEPLOY:
            for statement in TEMPLATE[managed["Ref"]]["Properties"]["PolicyDocument"]["Statement"]:
                yield given(statement)


def given(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what something is where its condition holds."""
    found: Mapping[str, Any] = value["Fn::If"][1] if "Fn::If" in value else value
    return found


def allowed(stage: Stage) -> set[str]:
    actions: set[str] = set()
    for statement in statements(stage):
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    return {str(action) for action in actions}


def checks() -> list[Check]:
    """Return checks of every kind, and requests with secrets and signatures."""
    elsewhere = {"type": "http", "url": "http://127.0.0.1:9/", "connect_retries": 0}
    token = {"bearer": {"token": {"secretsmanager": "token"}}}
    role = "arn:aws:iam::123456789012:role/smoke-tests"
    signed = {"sigv4": {"service": "execute-api", "role_arn": role}}
    with_secrets = {**elsewhere, "headers": {"X-Key": {"ssm": "/key"}}, "auth": token}
    return [check_of(fields) for fields in (*EXAMPLES, with_secrets, {**elsewhere, "auth": signed})]


@pytest.fixture(autouse=True)
def _no_pause_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once: these tests look at what is called and shown, not at when."""
    monkeypatch.setattr("ecs_hooks.http.retry._PAUSES", (0.001,) * 4)


@pytest.fixture
def everything(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> AwsApi:
    """AWS, as it answers everything that checks ask."""
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    load_balancer(aws, "HTTP", 9, "127.0.0.1")
    running(aws, task("a", "127.0.0.1"), task("b"))
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": []})
    aws.answer("DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []})
    aws.answer("GetMetricData", {"MetricDataResults": []})
    aws.answer("ListServiceDeployments", {"serviceDeployments": [brief()]})
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}
    containers = [{"name": "web", "logConfiguration": logging}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    aws.answer("FilterLogEvents", {"events": []})
    aws.answer("StartQuery", {"queryId": "1"})
    aws.answer("GetQueryResults", {"status": "Complete", "results": []})
    aws.answer("GetSecretValue", {"SecretString": "t0ken"})
    aws.answer("GetParameter", {"Parameter": {"Value": "{}"}})
    aws.answer("AssumeRole", role_keys())
    aws.answer("GetObject", {"Body": b"{}"})
    aws.answer("Invoke", {"StatusCode": 200, "Payload": b"{}"})
    return aws


@pytest.mark.parametrize("stage", list(Stage))
def test_every_operation_that_is_called_is_allowed_and_no_other(everything: AwsApi, stage: Stage) -> None:
    event = load_event(lifecycleStage=stage)
    network = revision(test=NLB_LISTENER)
    network["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"] = NLB_LISTENER
    without_test_listener = revision(test="")
    stage_hook(stage, checks())(event, None)
    for described in (network, without_test_listener):
        everything.answer("DescribeServiceRevisions", {"serviceRevisions": [described], "failures": []})
        stage_hook(stage, checks())(event, None)
    for place in ("s3://plans/a.json", "ssm:/plan"):
        stage_hook(stage)({**event, "hookDetails": {"plan": place}}, None)

    assert everything.actions == allowed(stage) - _LOG - _NOT_CALLED


def test_every_action_that_the_code_names_is_allowed_somewhere_and_no_other() -> None:
    sources = [path for path in LAYER.rglob("*.py") if "codedeploy" not in path.parts]
    named = re.compile(r'"((?:ecs|elasticloadbalancing|cloudwatch|lambda|logs|s3|secretsmanager|ssm|sts):[A-Z]\w+)"')

    code = {action for path in sources for action in named.findall(path.read_text())}
    assert code == set().union(*map(allowed, Stage)) - _LOG - _NOT_CALLED


def test_what_plans_name_is_allowed_by_a_parameter_each_and_nothing_of_it_by_default() -> None:
    parameters, conditions = _WHOLE["Parameters"], _WHOLE["Conditions"]
    policy = TEMPLATE["ReadWhatPlansName"]
    found: dict[str, set[str]] = {}
    for each in policy["Properties"]["PolicyDocument"]["Statement"]:
        condition, statement, otherwise = each["Fn::If"]
        parameter = statement["Resource"]["Ref"]
        assert conditions[condition] == {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}
        assert otherwise == {"Ref": "AWS::NoValue"}
        assert parameters[parameter]["Type"] == "CommaDelimitedList"
        assert parameters[parameter]["Default"] == ""
        action = statement["Action"]
        found.setdefault(parameter, set()).update([action] if isinstance(action, str) else action)

    assert found == {
        "SecretArns": {"secretsmanager:GetSecretValue"},
        "ParameterArns": {"ssm:GetParameter"},
        "PlanArns": {"s3:GetObject"},
        "KeyArns": {"kms:Decrypt"},
        "AssumedRoleArns": {"sts:AssumeRole"},
        "SignedRequestArns": _NOT_CALLED - {"kms:Decrypt"} | {"lambda:InvokeFunction"},
        "InvokedFunctionArns": {"lambda:InvokeFunction"},
    }
    assert policy["Condition"] == "NamesAnything"
    of_each = [{"Condition": each["Fn::If"][0]} for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    assert conditions["NamesAnything"]["Fn::Or"] == list({str(each): each for each in of_each}.values())


def test_errors_name_the_parameters_that_there_are() -> None:
    text = "".join((LAYER / name).read_text() for name in ("auth/sigv4.py", "auth/secret_store.py", "plan/source.py"))
    named = set(re.findall(r"(?:[A-Z][a-z]+)+Arns", text))

    assert named == {"SecretArns", "ParameterArns", "PlanArns", "KeyArns", "AssumedRoleArns"}
    assert named <= set(_WHOLE["Parameters"])


@pytest.mark.parametrize("stage", list(Stage))
def test_each_function_has_a_role_of_its_own_that_writes_its_own_log_alone(stage: Stage) -> None:
    name = function(stage)

    assert TEMPLATE[name]["Properties"]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
    writing = [statement for statement in statements(stage) if _LOG & set(statement["Action"])]
    assert [statement["Resource"] for statement in writing] == [{"Fn::GetAtt": [f"{name}Log", "Arn"]}]
    assert all(statement["Effect"] == "Allow" for statement in statements(stage))
