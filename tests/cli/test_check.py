from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.account import Account
from tests.cli.conftest import Run
from tests.conftest import GREEN, load_event
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying
from tests.support.aws import AwsApi, role_keys
from tests.support.layouts import load_balancer, rule

DEPLOYMENT = str(load_event()["resourceArn"])
HEALTH: dict[str, Any] = {"checks": [{"type": "http", "name": "health", "path": "/health"}]}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    # Set by the command; put back after the test.
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def written(folder: Path, plan: Any) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps(plan))
    return file


def test_a_plan_runs_against_a_local_address(run: Run, tmp_path: Path, serve: Serve) -> None:
    server = serve(replying(b"hello"))
    result = run("check", written(tmp_path, HEALTH), "--url", server.url)

    assert result.exit_code == 0, result.output
    assert f'PASS http "health" GET {server.url}/health status 200 in ' in result.output
    assert "SUCCEEDED post_test_traffic_shift no-service: 1 passed" in result.output


def test_the_address_replaces_both_listeners(run: Run, tmp_path: Path, serve: Serve) -> None:
    server = serve(replying(b"hello"))
    plan = {"checks": [{"type": "http", "listener": "production"}, {"type": "http", "listener": "test"}]}
    result = run("check", written(tmp_path, plan), "--url", server.url)

    assert result.exit_code == 0, result.output
    assert "2 passed" in result.output


def test_an_address_has_no_service_that_a_plan_could_be_for(run: Run, tmp_path: Path, serve: Serve) -> None:
    server = serve(replying(b"hello"))
    result = run("check", written(tmp_path, {**HEALTH, "service": "shop/api"}), "--url", server.url)

    assert result.exit_code == 0, result.output


def test_a_failure_is_exit_status_1(run: Run, tmp_path: Path, serve: Serve) -> None:
    server = serve(replying(b"", status="500 Oops"))
    result = run("check", written(tmp_path, HEALTH), "--url", server.url, "--stage", "POST_SCALE_UP", "--json")

    assert result.exit_code == 1
    outcome, answer = (json.loads(line) for line in result.output.splitlines())
    assert (outcome["kind"], outcome["outcome"]) == ("check", "FAIL")
    assert (answer["kind"], answer["hookStatus"]) == ("answer", "FAILED")
    assert answer["reason"].startswith("FAILED post_scale_up no-service: ")


POLLS = {"checks": [{"type": "http", "until": {"timeout_seconds": 60, "interval_seconds": 1}}]}


def test_a_load_has_the_longest_timeout_of_lambda(run: Run, tmp_path: Path, serve: Serve) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"ok")

    load = {"type": "load", "duration_seconds": 1, "timeout_seconds": 40}
    result = run("check", written(tmp_path, {"checks": [load]}), "--url", serve(script).url)
    assert result.exit_code == 0, result.output
    assert "PASS load 10 requests at 10/s: 0 % failed, p50 " in result.output

    result = run(
        "check", written(tmp_path, {"checks": [{**load, "duration_seconds": 880}]}), "--url", "http://127.0.0.1:9"
    )
    assert result.exit_code == 1, result.output
    assert "this invocation has 895 s left" in result.output


def test_in_progress_is_exit_status_3(run: Run, tmp_path: Path, serve: Serve) -> None:
    result = run("check", written(tmp_path, POLLS), "--url", serve(replying(b"", status="503 Soon")).url)

    assert result.exit_code == 3
    assert "(callBackDelay 1)" in result.output


def test_wait_repeats_until_the_answer_is_final(
    run: Run, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"", status="200 OK" if server.connections > 2 else "503 Soon")

    server = serve(script)
    result = run("check", written(tmp_path, POLLS), "--url", server.url, "--wait")

    assert result.exit_code == 0, result.output
    assert naps.count(1.0) == 2


COMPARE: dict[str, Any] = {"checks": [{"type": "compare", "samples": 15, "interval_seconds": 0}, *HEALTH["checks"]]}


def test_green_is_compared_with_blue_at_local_addresses(run: Run, tmp_path: Path, serve: Serve) -> None:
    green, blue = serve(replying(b"hello")), serve(replying(b"hello"))
    result = run("check", written(tmp_path, COMPARE), "--url", green.url, "--blue-url", blue.url)
    assert result.exit_code == 0, result.output
    assert "PASS compare GET /: no difference in 15 rounds" in result.output
    assert (blue.connections, green.connections) == (30, 16)

    own = {"checks": [{**COMPARE["checks"][0], "blue_url": serve(replying(b"hi")).url}]}
    result = run("check", written(tmp_path, own), "--url", green.url)
    assert result.exit_code == 1, result.output
    assert "FAIL compare GET /: body" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "http://a"], "the plan compares with blue: give --blue-url, or set blue_url of the check"),
        (["--service", "a", "--blue-url", "http://b"], "--blue-url requires --url"),
        (["--url", "http://a", "--blue-url", "b"], "--blue-url must begin with http:// or https:// and a host"),
    ],
)
def test_a_wrong_address_of_blue_is_a_usage_error(run: Run, tmp_path: Path, options: list[str], message: str) -> None:
    result = run("check", written(tmp_path, COMPARE), *options)

    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("how", [["--service", "my-cluster/my-service", "--region", "us-west-2"], ["--deployment"]])
def test_a_running_deployment_is_checked(
    run: Run, tmp_path: Path, serve: Serve, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    load_balancer(aws, "HTTP", serve(replying(b"hello")).port, "127.0.0.1")
    aws.answer("ListServiceDeployments", {"serviceDeployments": [{"serviceDeploymentArn": DEPLOYMENT}]})
    described = {"targetServiceRevision": {"arn": GREEN}, "lifecycleStage": "PRE_PRODUCTION_TRAFFIC_SHIFT"}
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [described]})
    result = run("check", written(tmp_path, HEALTH), *how, *([DEPLOYMENT] if how == ["--deployment"] else []))

    assert result.exit_code == 0, result.output
    assert "SUCCEEDED pre_production_traffic_shift my-service: 1 passed" in result.output
    if "--service" in how:
        assert aws.asked["ListServiceDeployments"] == [
            {"cluster": "my-cluster", "service": "my-service", "status": ["PENDING", "IN_PROGRESS"]}
        ]


@pytest.mark.parametrize("denied", [False, True])
def test_a_check_of_the_metrics_gets_advice_by_the_traffic(
    run: Run, tmp_path: Path, account: Account, *, denied: bool
) -> None:
    aws = account.aws
    described = {"targetServiceRevision": {"arn": GREEN}, "lifecycleStage": "POST_PRODUCTION_TRAFFIC_SHIFT"}
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [described]})
    load_balancer(aws)
    if denied:
        aws.error("GetMetricData", "AccessDenied", 403)
    plan = {"checks": [{"type": "golden_signals", "window_minutes": 1}]}
    lines = run("check", written(tmp_path, plan), "--deployment", DEPLOYMENT).output.splitlines()

    if denied:
        assert lines[0].startswith("ADVICE the traffic of the last week is unknown: cloudwatch:GetMetricData")
        return
    assert lines[0].startswith("ADVICE 600 requests a minute in the median hour of the last week, 0 % errors; how long")
    assert lines[1].startswith('ADVICE after the last step, with baseline "previous" (green 600 and blue 600')
    assert lines[2].startswith("WAIT golden_signals")

    account.service["loadBalancers"] = []
    assert not run("check", written(tmp_path, plan), "--deployment", DEPLOYMENT).output.startswith("ADVICE")


def test_the_default_stage_is_post_test_traffic_shift(run: Run, tmp_path: Path, aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeRules", rule(to=()))
    described = {"targetServiceRevision": {"arn": GREEN}, "lifecycleStage": "BAKE_TIME"}
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [described]})
    result = run("check", written(tmp_path, HEALTH), "--deployment", DEPLOYMENT)

    assert result.exit_code == 1
    assert "FAILED post_test_traffic_shift my-service" in result.output


def test_a_service_without_a_running_deployment_is_an_error(
    run: Run, tmp_path: Path, aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    aws.answer("ListServiceDeployments", {"serviceDeployments": []})
    result = run("check", written(tmp_path, HEALTH), "--service", "my-service")

    assert result.exit_code == 1
    assert "my-service has no running deployment" in result.output
    aws.error("ListServiceDeployments", "AccessDeniedException")
    assert (
        "the AWS credentials used here do not allow the action ecs:ListServiceDeployments"
        in run("check", written(tmp_path, HEALTH), "--service", "my-service").output
    )


def test_the_region_of_the_aws_configuration(
    run: Run, tmp_path: Path, aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "config"
    configuration.write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    aws.answer("ListServiceDeployments", {"serviceDeployments": []})

    assert "has no running deployment" in run("check", written(tmp_path, HEALTH), "--service", "my-service").output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of --url, --service and --deployment"),
        (["--url", "http://a", "--service", "b"], "give one of --url, --service and --deployment"),
        (["--url", "ftp://a"], "--url must begin with http:// or https://"),
        (["--deployment", "x"], "--deployment: not an ECS ARN"),
        (["--service", "b"], "give --region"),
    ],
)
def test_conflicting_options_are_a_usage_error(run: Run, tmp_path: Path, options: list[str], message: str) -> None:
    result = run("check", written(tmp_path, HEALTH), *options)

    assert result.exit_code == 2
    assert message in result.output


def test_a_plan_without_checks(run: Run, tmp_path: Path) -> None:
    assert "the plan has no checks" in run("check", written(tmp_path, {}), "--url", "http://a").output
    assert run("check", written(tmp_path, {"chekcs": 1}), "--url", "http://a").exit_code == 1


SECRET: dict[str, Any] = {"type": "http", "auth": {"bearer": {"token": {"ssm": "/shop/token"}}}}


@pytest.mark.parametrize("way", ["option", "environment"])
def test_secrets_are_read_in_the_given_region(
    run: Run, tmp_path: Path, serve: Serve, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": "t0ken-t0ken"}})
    if way == "environment":
        monkeypatch.setenv("AWS_REGION", "eu-north-1")
    options = ["--region", "eu-north-1"] if way == "option" else []
    result = run("check", written(tmp_path, {"checks": [SECRET]}), "--url", serve(replying()).url, *options)

    assert result.exit_code == 0, result.output
    assert "t0ken" not in result.output
    assert aws.regions == {"eu-north-1"}


def test_secrets_require_a_region(run: Run, tmp_path: Path) -> None:
    result = run("check", written(tmp_path, {"checks": [SECRET]}), "--url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "give --region" in result.output


@pytest.mark.parametrize(
    "reference",
    [{"ssm": "arn:aws:ssm:eu-west-3:123456789012:parameter/token"}, {"env": "SMOKE_TOKEN"}],
)
def test_secrets_with_a_region_or_without_aws_require_none(
    run: Run,
    tmp_path: Path,
    serve: Serve,
    aws: AwsApi,
    monkeypatch: pytest.MonkeyPatch,
    reference: dict[str, str],
) -> None:
    monkeypatch.setenv("SMOKE_TOKEN", "t0ken-t0ken")
    aws.answer("GetParameter", {"Parameter": {"Value": "t0ken-t0ken"}})
    check = {"type": "http", "headers": {"X-Token": reference}}
    result = run("check", written(tmp_path, {"checks": [check]}), "--url", serve(replying()).url)
    assert result.exit_code == 0, result.output
    assert aws.regions == ({"eu-west-3"} if "ssm" in reference else set())


def test_a_signature_with_a_region_requires_none(run: Run, tmp_path: Path, serve: Serve, aws: AwsApi) -> None:
    aws.answer("AssumeRole", role_keys())
    heads: list[bytes] = []

    def play(peer: Peer) -> None:
        heads.append(peer.request())
        peer.answer()

    sigv4 = {"service": "execute-api", "role_arn": ROLE, "region": "eu-west-2"}
    plan = {"checks": [{"type": "http"}, {"type": "http", "auth": {"sigv4": sigv4}}]}
    result = run("check", written(tmp_path, plan), "--url", serve(play).url)
    assert result.exit_code == 0, result.output
    assert aws.regions == {"eu-west-2"}
    assert any(b"/eu-west-2/execute-api/" in each for each in heads)


ROLE = "arn:aws:iam::210987654321:role/smoke"
SIGNED: dict[str, Any] = {"type": "http", "auth": {"sigv4": {"service": "execute-api", "role_arn": ROLE}}}
ALARM = {"type": "alarm", "names": ["api-5xx"]}


def test_aws_calls_of_checks_use_the_given_region(run: Run, tmp_path: Path, serve: Serve, aws: AwsApi) -> None:
    aws.answer("AssumeRole", role_keys())
    alarm = {"AlarmName": "api-5xx", "StateValue": "OK"}
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
    heads: list[bytes] = []

    def play(peer: Peer) -> None:
        heads.append(peer.request())
        peer.answer(b"ok")

    url = serve(play).url
    file = written(tmp_path, {"checks": [SIGNED, ALARM]})
    result = run("check", file, "--url", url, "--region", "eu-north-1")

    assert result.exit_code == 0, result.output
    assert b"/eu-north-1/execute-api/aws4_request" in heads[0]
    assert aws.regions == {"eu-north-1"}


@pytest.mark.parametrize("check", [SIGNED, ALARM])
def test_aws_calls_of_checks_require_a_region(run: Run, tmp_path: Path, check: dict[str, Any]) -> None:
    result = run("check", written(tmp_path, {"checks": [check]}), "--url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "give --region" in result.output


def test_a_plan_in_s3_is_fetched(run: Run, tmp_path: Path, serve: Serve, aws: AwsApi) -> None:
    server = serve(replying())
    aws.answer("GetObject", {"Body": json.dumps(HEALTH).encode()})
    file = written(tmp_path, {"plan": "s3://plans/shop.json"})
    result = run("check", file, "--url", server.url, "--region", "eu-north-1")
    assert result.exit_code == 0, result.output
    assert f'PASS http "health" GET {server.url}/health' in result.output

    aws.answer("GetObject", {"Body": b'{"checks": [{"type": "htp"}]}'})
    result = run("check", file, "--url", server.url, "--region", "eu-north-1")
    assert result.exit_code == 1
    assert "s3://plans/shop.json: checks[0].type: is not one of the allowed values (" in result.output

    assert aws.regions == {"eu-north-1"}
    load_balancer(aws, "HTTP", server.port, "127.0.0.1")
    aws.answer("GetObject", {"Body": json.dumps(HEALTH).encode()})
    result = run("check", file, "--deployment", DEPLOYMENT)
    assert result.exit_code == 0, result.output
    assert "us-west-2" in aws.regions

    aws.error("GetObject", "AccessDenied", 403)
    result = run("check", file, "--url", server.url, "--region", "eu-north-1")
    assert result.exit_code == 1
    assert "s3:GetObject: AccessDenied" in result.output


def test_validate_does_not_fetch_a_plan(run: Run, tmp_path: Path) -> None:
    result = run("validate", written(tmp_path, {"plan": "s3://plans/shop.json"}))
    assert result.exit_code == 0
    assert "valid, its checks are in s3://plans/shop.json, which is not validated, mode enforce" in result.output


def test_a_tcp_connection_to_a_local_address(run: Run, tmp_path: Path, serve: Serve) -> None:
    server = serve(lambda peer: peer.send(b"220 ready\r\n"))
    plan = {"checks": [{"type": "tcp", "listener": "production", "expect": {"body": {"contains": "220"}}}]}
    result = run("check", written(tmp_path, plan), "--url", server.url)

    assert result.exit_code == 0, result.output
    assert f"PASS tcp TCP 127.0.0.1:{server.port} connected in " in result.output
