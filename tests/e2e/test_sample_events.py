from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT, SAM, image_options
from tests.support.answers import EVENTS, NAMES, answer_of_function, function_for

if TYPE_CHECKING:
    from tests.e2e.conftest import Functions

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_event_gets_its_documented_answer_in_the_lambda_runtime(functions: Functions, name: str) -> None:
    text, raised = functions.invoke(function_for(name), (EVENTS / f"{name}.json").read_bytes())
    answer = json.loads(text)

    assert not raised, text
    assert answer["hookStatus"] == answer_of_function(name), answer
    assert set(answer) <= {"hookStatus", "callBackDelay", "hookDetails", "reason"}
    assert answer["reason"].startswith(answer["hookStatus"])


@pytest.mark.parametrize("function", sorted({function_for(name) for name in NAMES}))
def test_every_function_answers_the_events_of_other_stages_too(functions: Functions, function: str) -> None:
    others = [name for name in NAMES if function_for(name) != function]
    answers = {}
    for name in others:
        text, raised = functions.invoke(function, (EVENTS / f"{name}.json").read_bytes())
        assert not raised, (name, text)
        answers[name] = json.loads(text)["hookStatus"]

    # At another stage its own defaults would check the wrong thing, so it refuses; but neither a rollback, nor checks
    # that the plan names.
    asked = {"post_test_traffic_shift_hook_details", "post_test_traffic_shift_json_string_hook_details"}
    assert {name for name, status in answers.items() if status != "FAILED"} == {
        name for name in others if "rollback" in name or name in asked
    }


def test_an_event_that_is_none_is_answered_too(functions: Functions) -> None:
    text, raised = functions.invoke("PreScaleUp", b'{"Records": []}')

    assert not raised
    assert json.loads(text)["hookStatus"] == "FAILED"


def test_sam_local_invoke_as_the_readme_has_it(tmp_path: object) -> None:
    event = EVENTS / "post_test_traffic_shift_hook_details.json"
    done = subprocess.run(
        [SAM, "local", "invoke", "PostTestTrafficShift", "-e", event, *image_options()],
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-west-2"},
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    answer = json.loads(done.stdout.strip().splitlines()[-1])

    # The host of the sample does not exist, so green can't be asked yet.
    assert answer["hookStatus"] == "IN_PROGRESS"
    assert answer["callBackDelay"] == 30
    assert answer["hookDetails"]["base_url"] == "http://test-alb.example.com:8080"
    assert answer["hookDetails"]["ecsHooks"]["attempt"] == 1
