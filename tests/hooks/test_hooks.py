from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecs_hooks import LifecycleHandler, Stage
from tests.aws import AwsApi
from tests.conftest import GREEN, load_event
from tests.layouts import load_balancer

ROOT = Path(__file__).resolve().parents[2]
CHECKED = {Stage.POST_TEST_TRAFFIC_SHIFT, Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, Stage.POST_PRODUCTION_TRAFFIC_SHIFT}


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_a_handler_that_answers_it(stage: Stage, httpd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", httpd)
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    handler = importlib.import_module(stage.lower()).lambda_handler
    assert isinstance(handler, LifecycleHandler)

    answer = handler(load_event(lifecycleStage=stage), None)

    assert answer["hookStatus"] == "SUCCEEDED"
    assert ("1 passed" in answer["reason"]) is (stage in CHECKED)


@pytest.mark.parametrize("stage", sorted(CHECKED))
def test_without_an_address_nothing_passes(stage: Stage, aws: AwsApi) -> None:
    load_balancer(aws)
    aws.answer("DescribeServiceRevisions", {"serviceRevisions": [{"serviceRevisionArn": GREEN}], "failures": []})
    answer = importlib.import_module(stage.lower()).lambda_handler(load_event(lifecycleStage=stage), None)

    assert answer["hookStatus"] == "FAILED"
    assert "set hookDetails.base_url" in answer["reason"]


def test_a_hook_that_only_speaks_http_does_not_load_boto3(httpd: str) -> None:
    program = """
import json, sys
import post_test_traffic_shift
event = json.loads(sys.stdin.read())
print(json.dumps([post_test_traffic_shift.lambda_handler(event, None)["hookStatus"],
    sorted(name for name in ("boto3", "botocore.session", "jsonpath", "regex") if name in sys.modules)]))
"""
    details = {"base_url": httpd, "checks": [{"type": "http", "path": "/health"}]}
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(load_event(hookDetails=details)),
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'hooks'}:{ROOT / 'shared'}", "ECS_HOOKS_ALLOWED_HOSTS": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == ["SUCCEEDED", []]
