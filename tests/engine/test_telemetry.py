from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ecs_hooks import Outcome, Stage, Status, lifecycle_hook, stage_hook
from ecs_hooks.checks import CheckContext
from ecs_hooks.core.response import HookResponse, HookStatus
from ecs_hooks.engine.telemetry import report
from tests.conftest import GREEN, load_event
from tests.support.checks import Fixed

KEYS = {
    "deployment": "arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/my-service/EZe5RNVLH6PPzHXINuP28",
    "service": "my-service",
    "stage": "POST_TEST_TRAFFIC_SHIFT",
    "revision": GREEN,
}
Lines = Callable[[], list[dict[str, Any]]]


def run(*checks: Fixed) -> None:
    stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, checks)(load_event(), None)


def test_one_line_for_each_outcome_and_one_for_the_verdict(lines: Lines) -> None:
    run(Fixed(name="a"), Fixed(name="b", status=Status.FAIL, reason="status 500, expected 2xx"))
    logged = [line for line in lines() if "message" in line]
    logged[:2] = sorted(logged[:2], key=lambda line: str(line["check"]))  # in the order in which they ended

    assert [(line["level"], line["message"]) for line in logged] == [
        ("INFO", 'PASS fixed "a" as told'),
        ("WARNING", 'FAIL fixed "b" status 500, expected 2xx'),
        (
            "WARNING",
            'FAILED post_test_traffic_shift my-service: fixed "b" status 500, expected 2xx (1 passed, 1 failed)',
        ),
    ]
    assert all(KEYS.items() <= line.items() for line in logged)
    assert (logged[0]["check"], logged[0]["outcome"], list(logged[0]["evidence"])) == ('fixed "a"', "PASS", ["elapsed"])
    assert logged[2]["verdict"] == "FAILED"


class Quiet(Fixed):
    """Has no data."""

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.by_policy("skip", "no requests")


def test_a_check_that_had_too_little_data_is_a_warning(lines: Lines) -> None:
    run(Quiet(), Fixed(status=Status.SKIP))
    quiet, skipped = sorted((line for line in lines() if "check" in line), key=lambda line: str(line["level"]))[::-1]

    assert (quiet["level"], quiet["message"]) == ("WARNING", "SKIP fixed no requests")
    assert skipped["level"] == "INFO"


@pytest.mark.parametrize(
    ("status", "level", "metric"),
    [(Status.PASS, "INFO", "Succeeded"), (Status.FAIL, "WARNING", "Failed"), (Status.WAIT, "WARNING", "InProgress")],
)
def test_verdicts_are_counted_by_stage_and_service(lines: Lines, status: Status, level: str, metric: str) -> None:
    run(Fixed(status=status))
    *logged, metrics = lines()

    assert logged[-1]["level"] == level
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "EcsHooks"
    assert sorted(metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == ["service", "stage"]
    assert (metrics["stage"], metrics["service"]) == ("POST_TEST_TRAFFIC_SHIFT", "my-service")
    assert metrics[metric] == [1.0]
    assert len(metrics["CheckDuration"]) == 1


def test_the_durations_of_many_checks_are_all_told(lines: Lines) -> None:
    run(*[Fixed(name=str(number)) for number in range(150)])
    metrics = [line for line in lines() if "_aws" in line]

    assert sum(len(blob.get("CheckDuration", [])) for blob in metrics) == 150
    assert sum(len(blob.get("Succeeded", [])) for blob in metrics) == 1


def test_the_namespace_can_be_another(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Mine")
    run(Fixed())

    assert lines()[-1]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Mine"


def test_a_stage_that_is_no_dimension_is_made_one(lines: Lines) -> None:
    stage_hook(Stage.PRE_SCALE_UP)(load_event(lifecycleStage="é nothing" * 90), None)

    stage = lines()[-1]["stage"]
    assert len(stage) == 250
    assert stage.startswith("??nothing")


def test_no_trouble_with_the_log_changes_the_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        message = "no space left"
        raise OSError(message)

    monkeypatch.setattr("ecs_hooks.engine.telemetry.logger", type("Full", (), {"info": full, "warning": full})())
    monkeypatch.setattr("ecs_hooks.engine.telemetry.EphemeralMetrics", full)
    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, [Fixed()])(load_event(), None)

    assert answer["hookStatus"] == "SUCCEEDED"
    assert "could not report: OSError" in capfd.readouterr().out


def test_what_is_no_event_is_counted_as_unknown(lines: Lines) -> None:
    report(HookResponse(HookStatus.FAILED, "FAILED: no event"), None, [])

    verdict, metrics = lines()
    assert verdict["verdict"] == "FAILED"
    assert (metrics["stage"], metrics["service"]) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "place",
    [
        ("executionId",),
        ("lifecycleStage",),
        ("resourceArn",),
        ("executionDetails", "targetServiceRevisionArn"),
    ],
)
def test_half_of_a_surrogate_pair_in_an_id_loses_no_line(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, place: tuple[str, ...]
) -> None:
    # pytest-xdist cannot report what pytest captures of the log.
    monkeypatch.setattr(logging.getLogger("ecs-hooks"), "propagate", False)
    event = load_event()
    holder = event
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] += "\ud800"
    reason = "b\udfff\xe4"
    answer = lifecycle_hook(lambda hook: hook.failed(reason))(event, None)

    messages = [line for line in lines() if "message" in line]
    assert [line["message"][:4] for line in messages] == ["FAIL", "FAIL"]
    assert answer["hookStatus"] == "FAILED"
    assert messages[0]["message"].endswith(reason)
    keys = {"resourceArn": "deployment", "serviceArn": "service", "lifecycleStage": "stage"}
    assert all(messages[0][key].endswith("\ud800") for name, key in keys.items() if name == place[-1])
