"""`sam local invoke` with CodeDeploy's sample events, as the README has it, while AWS tells of a deployment by CodeDeploy."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, SAM, host_address, image_options, with_endpoint
from tests.support.answers import EVENTS
from tests.support.aws import AwsApi, serving
from tests.support.codedeploy_orders import FUNCTION_OF, GROUP, deployed_by_codedeploy, planned, statuses

pytestmark = pytest.mark.e2e


@pytest.fixture
def cloud() -> Iterator[AwsApi]:
    """AWS, where containers can reach it."""
    with serving(host_address()) as aws:
        yield aws


def invoked(aws: AwsApi, event: str, file: Path) -> dict[str, Any]:
    """Invoke the function of a lifecycle event with `sam local invoke`, and return its answer."""
    done = subprocess.run(
        [
            *(SAM, "local", "invoke", FUNCTION_OF[event], "-e", file),
            *("--template", with_endpoint(aws.url), "--parameter-overrides", "CodeDeploy=true"),
            *image_options(),
        ],
        cwd=ROOT,
        # The SAM CLI takes a function's variables from its own environment before the template's.
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-west-2",
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


@pytest.mark.parametrize("event", FUNCTION_OF)
def test_each_lifecycle_event_gets_its_answer(cloud: AwsApi, green: str, event: str, tmp_path: Path) -> None:
    host, _, port = green.removeprefix("http://").rpartition(":")
    deployed_by_codedeploy(cloud, event, int(port), host)

    answer = invoked(cloud, event, EVENTS / "codedeploy" / f"{event}.json")

    if event != "AfterAllowTraffic":
        assert answer["hookStatus"] == "SUCCEEDED", answer
        assert statuses(cloud) == ["Succeeded"]
        assert cloud.asked["DeleteSchedule"][0]["Name"] == cloud.asked["CreateSchedule"][0]["Name"]
        return
    # Metrics are watched for five minutes: the schedule brings it back, with what it knows.
    assert (answer["hookStatus"], statuses(cloud)) == ("IN_PROGRESS", [])
    schedule = {**cloud.asked["CreateSchedule"][-1], **cloud.asked.get("UpdateSchedule", [{}])[-1]}
    assert schedule["GroupName"] == "ScheduleGroup"
    assert schedule["Target"]["RoleArn"].endswith("ScheduleRole")
    later = tmp_path / "later.json"
    later.write_text(schedule["Target"]["Input"])
    assert invoked(cloud, event, later)["hookStatus"] == "IN_PROGRESS"
    assert cloud.asked["CreateSchedule"][-1]["Name"] != schedule["Name"]


def test_a_plan_of_systems_manager_decides(cloud: AwsApi, green: str) -> None:
    host, _, port = green.removeprefix("http://").rpartition(":")
    event = "AfterAllowTestTraffic"
    deployed_by_codedeploy(cloud, event, int(port), host)
    planned(cloud, f"{GROUP}/{event}", '{"checks": [{"type": "http", "name": "teapot", "expect": {"status": 418}}]}')

    answer = invoked(cloud, event, EVENTS / "codedeploy" / f"{event}.json")

    assert statuses(cloud) == ["Failed"]
    assert 'http "teapot" GET' in answer["reason"]
    assert "status 200, expected 418" in answer["reason"]
