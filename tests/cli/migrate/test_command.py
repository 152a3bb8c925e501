from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner

from ecs_hooks_cli.commands import ecs_hooks
from tests.cli.conftest import ROOT, Run
from tests.examples.test_aws_cli import ECS, wrong_enums

ARN = "arn:aws:lambda:us-west-2:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/ecs-hooks-invoke"
APPSPEC = ROOT / "examples" / "codedeploy" / "appspec-ecs.yaml"
OPTIONS = ("--role-arn", ROLE, "--function-arn-prefix", ARN)
CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
GROUP: dict[str, Any] = {
    "applicationName": "orders",
    "deploymentConfigName": "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
    "computePlatform": "ECS",
    "ecsServices": [{"serviceName": "orders", "clusterName": "prod"}],
    "alarmConfiguration": {"enabled": True, "ignorePollAlarmFailure": True, "alarms": [{"name": "Api-5xx"}]},
    "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]},
    "blueGreenDeploymentConfiguration": {
        "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5},
        "deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 90},
    },
    "loadBalancerInfo": {
        "targetGroupPairInfoList": [
            {
                "targetGroups": [{"name": "blue"}, {"name": "green"}],
                "prodTrafficRoute": {"listenerArns": ["arn:production"]},
                "testTrafficRoute": {"listenerArns": ["arn:test"]},
            }
        ]
    },
    "triggerConfigurations": [{"triggerName": "a"}],
}


def group(folder: Path, **fields: Any) -> Path:
    file = folder / "group.json"
    file.write_text(json.dumps({"deploymentGroupInfo": {**GROUP, **fields}}))
    return file


def appspec(folder: Path, *hooks: str) -> Path:
    file = folder / "appspec.yaml"
    service = "Resources: [{TargetService: {Type: AWS::ECS::Service, Properties: {TaskDefinition: <TASK_DEFINITION>}}}]"
    file.write_text("\n".join([service, "Hooks:", *(f"  - {hook}" for hook in hooks)]))
    return file


def migrated(run: Run, *arguments: object) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the update and the notes."""
    result = run("migrate", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    return found["update"], [(note["kind"], note["subject"], note["text"]) for note in found["notes"]]


def mistakes(update: dict[str, Any]) -> list[str]:
    """Return what botocore, and the enums of its model, say against an input of UpdateService."""
    shape = ECS.operation_model("UpdateService").input_shape
    whole = {"service": "orders", **update}
    return [*ParamValidator().validate(whole, shape).generate_report().splitlines(), *wrong_enums(whole, shape)]


def test_hooks_become_a_valid_input_of_update_service(run: Run) -> None:
    update, notes = migrated(run, APPSPEC, *OPTIONS, "--deployment-config", CANARY)

    assert mistakes(update) == []
    assert mistakes({"deploymentConfiguration": {"lifecycleHooks": [{"lifecycleStages": ["BeforeInstall"]}]}})
    assert update["deploymentController"] == {"type": "ECS"}
    hooks = update["deploymentConfiguration"].pop("lifecycleHooks")
    assert update["deploymentConfiguration"] == {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
        "bakeTimeInMinutes": 15,
    }
    assert hooks[0] == {
        "targetType": "AWS_LAMBDA",
        "hookTargetArn": f"{ARN}CodeDeployHook_ecs-hooks_PreScaleUp",
        "roleArn": ROLE,
        "lifecycleStages": ["PRE_SCALE_UP"],
        "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
    }
    assert [hook["lifecycleStages"] for hook in hooks] == [
        ["PRE_SCALE_UP"],
        ["POST_SCALE_UP"],
        ["POST_TEST_TRAFFIC_SHIFT"],
        ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
        ["POST_PRODUCTION_TRAFFIC_SHIFT"],
    ]
    assert update["platformVersion"] == "LATEST"
    assert "taskDefinition" not in update
    texts = {(kind, subject): text for kind, subject, text in notes}
    assert (
        texts["changes", "BeforeInstall"] == "its failure rolls back the deployment in ECS; in CodeDeploy it could not"
    )
    assert "before every step of a CANARY deployment" in texts["changes", "BeforeAllowTraffic"]
    assert "containerName app, containerPort 8080, targetGroupArn" in texts["to do", "LoadBalancerInfo"]
    assert texts["to do", "role"].endswith("allows lambda:InvokeFunction on 5 functions")
    # The functions of the stack answer both, so nothing is to do about them.
    assert not [subject for kind, subject, _ in notes if kind == "to do" and subject.endswith(("Traffic", "Install"))]


def test_notes_go_to_standard_error_and_the_input_to_standard_output(run: Run) -> None:
    result = run("migrate", APPSPEC, *OPTIONS)

    assert mistakes(json.loads(result.stdout)) == []
    assert json.loads(result.stdout)["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"
    lines = result.stderr.splitlines()
    assert lines[0] == f"moves    BeforeInstall: {ARN}CodeDeployHook_ecs-hooks_PreScaleUp at PRE_SCALE_UP"
    assert not [line for line in lines if "before every step" in line]


def test_the_group_sets_names_traffic_alarms_and_times(run: Run, tmp_path: Path) -> None:
    update, notes = migrated(run, APPSPEC, *OPTIONS, "--deployment-group", group(tmp_path))

    assert mistakes(update) == []
    assert (update["cluster"], update["service"]) == ("prod", "orders")
    configuration = update["deploymentConfiguration"]
    assert configuration["linearConfiguration"] == {"stepPercent": 10.0, "stepBakeTimeInMinutes": 3}
    assert configuration["bakeTimeInMinutes"] == 5
    assert configuration["alarms"] == {"alarmNames": ["Api-5xx"], "enable": True, "rollback": True}
    assert configuration["lifecycleHooks"][-1] == {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": {"timeoutInMinutes": 90, "action": "ROLLBACK"},
    }
    texts = {(kind, subject): text for kind, subject, text in notes}
    assert texts["to do", "LoadBalancerInfo"].endswith(
        "the group has target groups blue and green; production listener arn:production; test listener arn:test"
    )
    assert texts["moves", "alarms"] == "Api-5xx; enabled, with rollback"
    assert {subject for kind, subject, _ in notes if kind == "lost"} == {"alarms", "TaskDefinition", "triggers"}
    assert ("to do", "service") not in texts


def test_an_option_takes_precedence_over_the_group(run: Run, tmp_path: Path) -> None:
    update, _ = migrated(
        run,
        APPSPEC,
        *OPTIONS,
        "--deployment-group",
        group(tmp_path),
        "--deployment-config",
        CANARY,
        "--timeout",
        "1440",
    )

    assert update["deploymentConfiguration"]["strategy"] == "CANARY"
    assert update["deploymentConfiguration"]["lifecycleHooks"][0]["timeoutConfiguration"]["timeoutInMinutes"] == 1440


def test_settings_that_ecs_does_not_support_are_listed(run: Run, tmp_path: Path) -> None:
    terminating = {"action": "KEEP_ALIVE", "terminationWaitTimeInMinutes": 2880}
    ready = {"actionOnTimeout": "CONTINUE_DEPLOYMENT"}
    file = group(
        tmp_path,
        ecsServices=[],
        alarmConfiguration={"enabled": False, "alarms": [{"name": "a"}]},
        autoRollbackConfiguration={"enabled": False},
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": terminating,
            "deploymentReadyOption": ready,
        },
        loadBalancerInfo={"targetGroupPairInfoList": [{"targetGroups": [{"name": "a"}]}]},
        triggerConfigurations=[],
    )
    update, notes = migrated(run, appspec(tmp_path), "--deployment-group", file)

    assert mistakes(update) == []
    configuration = update["deploymentConfiguration"]
    assert (configuration["bakeTimeInMinutes"], configuration["lifecycleHooks"]) == (1440, [])
    assert configuration["alarms"] == {"alarmNames": ["a"], "enable": False, "rollback": False}
    texts = {(kind, subject): text for kind, subject, text in notes}
    assert texts["changes", "termination wait"] == "2880 minutes are more than ECS's maximum of 1440"
    assert texts["lost", "termination"].startswith("KEEP_ALIVE")
    assert texts["changes", "rollback"].startswith("ECS always rolls back if a hook fails")
    assert texts["moves", "alarms"] == "a; not enabled, without rollback"
    assert texts["moves", "Hooks"] == "the AppSpec has no hooks, so the service will have none"
    assert texts["to do", "LoadBalancerInfo"].endswith("the group has target groups a")
    assert "service" not in update
    assert ("to do", "service") in texts


def test_a_group_without_alarms_or_load_balancer(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "group.json"
    file.write_text(json.dumps({"deploymentConfigName": CANARY}))
    update, notes = migrated(run, appspec(tmp_path), "--deployment-group", file)

    assert set(update["deploymentConfiguration"]) == {
        "strategy",
        "canaryConfiguration",
        "bakeTimeInMinutes",
        "lifecycleHooks",
    }
    assert "containerName ?, containerPort ?" in {subject: text for _, subject, text in notes}["LoadBalancerInfo"]


def test_functions_that_only_codedeploy_can_invoke_are_listed(run: Run, tmp_path: Path) -> None:
    file = appspec(tmp_path, "AfterInstall: mine", "AfterAllowTraffic: CodeDeployHook_ecs-hooks_PreScaleUp")
    _, notes = migrated(run, file, *OPTIONS)

    texts = {subject: text for kind, subject, text in notes if kind == "to do"}
    assert texts["AfterInstall"].startswith('mine must return its result, such as {"hookStatus": "SUCCEEDED"}')
    assert texts["AfterAllowTraffic"].startswith("CodeDeployHook_ecs-hooks_PreScaleUp is the function for PRE_SCALE_UP")


def test_a_plan_may_be_for_all_hooks_or_one(run: Run, tmp_path: Path) -> None:
    every, one = tmp_path / "every.json", tmp_path / "one.json"
    every.write_text('{"timeout_minutes": 20}')
    one.write_text('{"checks": [{"type": "http", "path": "/health"}]}')
    plans = ("--plan", f"AfterInstall={one}", "--plan", every)
    update, _ = migrated(run, APPSPEC, *OPTIONS, *plans)

    assert mistakes(update) == []
    details = [hook["hookDetails"] for hook in update["deploymentConfiguration"]["lifecycleHooks"]]
    expected = {"timeout_minutes": 20}
    assert details == [expected, {"checks": [{"type": "http", "path": "/health"}]}, expected, expected, expected]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ((), "--role-arn is missing: ECS assumes that role to invoke the hooks"),
        (("--role-arn", "invoke"), "--role-arn must be the ARN of a role"),
        (
            (*OPTIONS, "--plan", "AfterInstal=x.json"),
            "--plan AfterInstal=x.json: No such file or directory; the events are",
        ),
    ],
)
def test_missing_and_wrong_options_are_refused(run: Run, options: tuple[str, ...], texts: str) -> None:
    result = run("migrate", APPSPEC, *options)

    assert result.exit_code == 2
    assert texts in result.output


def test_the_timeout_must_exceed_that_of_the_plan(run: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"timeout_minutes": 60}')
    result = run("migrate", APPSPEC, *OPTIONS, "--plan", plan)

    assert result.exit_code == 2
    assert f"--timeout 60 must be more than the timeout_minutes of {plan} (60)" in result.output


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("x", "group.json: is not the JSON output of aws deploy get-deployment-group --application-name"),
        ("[]", "group.json: deploymentGroupInfo: "),
        (
            '{"computePlatform": "Lambda"}',
            "deploymentGroupInfo.computePlatform: must be ECS, not Lambda; only ECS services",
        ),
        (
            '{"alarmConfiguration": {"alarms": [{}]}}',
            "deploymentGroupInfo.alarmConfiguration.alarms[0].name: is required",
        ),
        ("\xff", "group.json: is not"),
    ],
)
def test_an_invalid_group_is_refused(run: Run, tmp_path: Path, text: str, texts: str) -> None:
    (tmp_path / "group.json").write_text(text, encoding="latin-1")
    result = run("migrate", APPSPEC, *OPTIONS, "--deployment-group", tmp_path / "group.json")

    assert result.exit_code == 1
    assert texts in result.stderr
    assert result.stdout == ""


def test_an_invalid_file_has_status_1_and_no_output(run: Run, tmp_path: Path) -> None:
    wrong = run("migrate", ROOT / "examples" / "codedeploy" / "appspec-lambda.yaml")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "appspec-lambda.yaml: line 6: Resources[0].orders.Type: AWS::Lambda::Function stays" in wrong.stderr

    unknown = run("migrate", APPSPEC, *OPTIONS, "--deployment-config", "Mine")
    assert unknown.exit_code == 1
    assert unknown.stderr.startswith("--deployment-config: Mine is neither")

    named = run("migrate", APPSPEC, "--role-arn", ROLE)
    assert (
        "appspec-ecs.yaml: line 21: Hooks[0].BeforeInstall: is the name of a function, but ECS requires its ARN"
        in named.stderr
    )

    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\xfa")
    assert "a.yaml: is not UTF-8 text" in run("migrate", tmp_path / "a.yaml").stderr


def test_the_appspec_may_come_from_standard_input() -> None:
    result = CliRunner().invoke(ecs_hooks, ["migrate", "-", *OPTIONS], input=APPSPEC.read_text())

    assert len(json.loads(result.stdout)["deploymentConfiguration"]["lifecycleHooks"]) == 5


PROPERTIES = ("LoadBalancerInfo", "PlatformVersion", "NetworkConfiguration", "CapacityProviderStrategy")


def of_service(**properties: Any) -> dict[str, Any]:
    service = {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "a", **properties}}
    return {"version": 0.0, "Resources": [{"TargetService": service}]}


@pytest.mark.parametrize("name", PROPERTIES)
def test_null_is_absent_in_the_appspec(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / "appspec.json"
    file.write_text(json.dumps({**of_service(**{name: None}), "Hooks": None}))
    without = tmp_path / "without.json"
    without.write_text(json.dumps(of_service()))
    assert migrated(run, file) == migrated(run, without)


@pytest.mark.parametrize(
    "fields",
    [
        {"LoadBalancerInfo": {"ContainerName": None, "ContainerPort": None}},
        {
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {"Subnets": ["a"], "SecurityGroups": None, "AssignPublicIp": None}
            }
        },
        {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Base": None, "Weight": None}]},
    ],
    ids=lambda each: next(iter(each)),
)
def test_null_is_absent_inside_of_properties(run: Run, tmp_path: Path, fields: dict[str, Any]) -> None:
    file = tmp_path / "appspec.json"
    file.write_text(json.dumps(of_service(**fields)))
    assert "null" not in json.dumps(migrated(run, file)[0])


def nulls(value: Any) -> list[Any]:
    """Return the object with null in place of each of its fields, at every depth."""
    found = []
    for name, each in value.items() if isinstance(value, dict) else ():
        found.append({**value, name: None})
        found += [{**value, name: inner} for inner in nulls(each)]
    return found


@pytest.mark.parametrize(
    "fields", nulls({name: each for name, each in GROUP.items() if name != "ecsServices"}), ids=str
)
def test_null_is_absent_in_the_deployment_group(run: Run, tmp_path: Path, fields: dict[str, Any]) -> None:
    file = tmp_path / "group.json"
    file.write_text(json.dumps(fields))
    migrated(run, appspec(tmp_path), "--deployment-group", file)


def test_an_appspec_for_instances_and_a_service_is_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "appspec.json"
    scripts = {
        "os": "linux",
        "files": [{"source": "/", "destination": "/srv"}],
        "hooks": {"AfterInstall": [{"location": "a"}]},
    }
    file.write_text(json.dumps({**of_service(), **scripts, "Hooks": [{"BeforeInstall": "check"}]}))
    update, notes = migrated(run, file, *OPTIONS)
    (hook,) = update["deploymentConfiguration"]["lifecycleHooks"]
    assert (hook["hookTargetArn"], hook["lifecycleStages"]) == (f"{ARN}check", ["PRE_SCALE_UP"])
    lost = [(subject, text) for kind, subject, text in notes if kind == "lost" and "instances" in text]
    assert lost == [
        (name, "is for deployments to instances; ECS has no counterpart") for name in ("os", "files", "hooks")
    ]


@pytest.mark.parametrize(
    ("arn", "options", "text"),
    [
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:check",
            ("--region", "us-west-2"),
            "is in region eu-west-1, the service in us-west-2: AWS does not document whether ECS can invoke it",
        ),
        (
            "arn:aws:lambda:us-west-2:210987654321:function:check",
            (),
            "is in account 210987654321, the service in 123456789012",
        ),
        (
            "arn:aws:lambda:us-west-2:210987654321:function:check",
            ("--account", "123456789012"),
            "is in account 210987654321",
        ),
        ("arn:aws:lambda:us-west-2:123456789012:function:check", ("--region", "us-west-2"), ""),
    ],
)
def test_a_function_of_another_region_or_account_is_told(
    run: Run, tmp_path: Path, arn: str, options: tuple[str, ...], text: str
) -> None:
    file = appspec(tmp_path, f"BeforeInstall: {arn}", f"AfterInstall: {arn}")
    _, notes = migrated(run, file, "--role-arn", ROLE, *options)
    told = [(subject, each) for kind, subject, each in notes if kind == "to do" and ", the service in " in each]
    assert [subject for subject, _ in told] == (["BeforeInstall", "AfterInstall"] if text else [])
    assert all(text in each for _, each in told)


def test_functions_of_two_regions_are_told(run: Run, tmp_path: Path) -> None:
    other = ARN.replace("us-west-2", "eu-west-1")
    _, notes = migrated(run, appspec(tmp_path, f"BeforeInstall: {ARN}a", f"AfterInstall: {other}b"), "--role-arn", ROLE)
    assert [subject for _, subject, text in notes if ", the service in us-west-2" in text] == ["AfterInstall"]
