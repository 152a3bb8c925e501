from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import AlarmCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE, SINCE = datetime(2026, 11, 21, 11, tzinfo=UTC), datetime(2026, 11, 21, 13, tzinfo=UTC)


def alarm(name: str, state: str = "OK", since: datetime | None = SINCE) -> dict[str, Any]:
    stamp = {} if since is None else {"StateTransitionedTimestamp": since}
    return {"AlarmName": name, "StateValue": state, **stamp}


def alarms(aws: AwsApi, *metric: dict[str, Any], composite: tuple[dict[str, Any], ...] = ()) -> None:
    load_balancer(aws)
    aws.answer("DescribeAlarms", {"MetricAlarms": list(metric), "CompositeAlarms": list(composite)})


def ask(**fields: Any) -> Outcome:
    return AlarmCheck.model_validate({"names": ["a"]} | fields).run(context(None))


def test_alarms_that_are_ok(aws: AwsApi) -> None:
    alarms(aws, alarm("a"), composite=(alarm("b"),))

    outcome = ask(names=["a", "b"])
    assert outcome == Outcome.passed("2 alarms not in ALARM", {"alarms": 2, "alarming": 0, "insufficient_data": 0})
    assert aws.calls == {"DescribeAlarms": 1}
    asked = aws.asked["DescribeAlarms"][0]
    assert (asked["AlarmNames"], asked["AlarmTypes"]) == (["a", "b"], ["MetricAlarm", "CompositeAlarm"])


def test_an_alarm_that_went_off_in_the_deployment(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM"), alarm("b", "ALARM", BEFORE), alarm("c", "ALARM", None))

    outcome = ask(names=["a", "b", "c"], already_alarming="ignore")
    assert (outcome.status, outcome.reason) == (Status.FAIL, "alarms a, c in ALARM")


@pytest.mark.parametrize(
    ("policy", "status", "reason"),
    [
        (
            "fail",
            Status.FAIL,
            "alarm a in ALARM since before the deployment (already_alarming: ignore would let it pass)",
        ),
        (
            "wait",
            Status.WAIT,
            "alarm a in ALARM since before the deployment (already_alarming: ignore would let it pass)",
        ),
        ("ignore", Status.PASS, "0 alarms not in ALARM, alarm a ignored"),
    ],
)
def test_an_alarm_that_was_there_before_is_told_apart(aws: AwsApi, policy: str, status: Status, reason: str) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE))

    outcome = ask(already_alarming=policy)
    assert (outcome.status, outcome.reason) == (status, reason)


@pytest.mark.parametrize(("policy", "status"), [("fail", Status.FAIL), ("wait", Status.WAIT), ("ignore", Status.PASS)])
def test_an_alarm_without_enough_data(aws: AwsApi, policy: str, status: Status) -> None:
    alarms(aws, alarm("a", "INSUFFICIENT_DATA"))

    assert ask(insufficient_data=policy).status is status
    assert ask().status is Status.WAIT


def test_a_failure_goes_before_a_wait(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE), alarm("b", "INSUFFICIENT_DATA"))

    assert ask(names=["a", "b"], already_alarming="wait", insufficient_data="fail").reason == (
        "alarm b without enough data (insufficient_data: ignore would let it pass)"
    )


def test_many_alarms_are_named_in_part(aws: AwsApi) -> None:
    alarms(aws, *[alarm(f"a{number}", "ALARM") for number in range(7)])

    assert ask(names=[f"a{number}" for number in range(7)]).reason == "alarms a0, a1, a2, a3, a4 and 2 more in ALARM"


def test_a_prefix_and_pages(aws: AwsApi) -> None:
    load_balancer(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"MetricAlarms": [alarm("api-1")], "CompositeAlarms": [], "NextToken": "2"},
        "2": {"MetricAlarms": [alarm("api-2")], "CompositeAlarms": []},
    }
    aws.answer("DescribeAlarms", lambda asked: pages[asked.get("NextToken")])

    assert ask(names=[], prefix="api-").reason == "2 alarms not in ALARM"
    assert aws.asked["DescribeAlarms"][0]["AlarmNamePrefix"] == "api-"


def test_pages_without_end_end(aws: AwsApi) -> None:
    alarms(aws)
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm("a")], "CompositeAlarms": [], "NextToken": "again"})

    with pytest.raises(FactDeniedError, match="more than 1000 alarms"):
        ask()
    assert aws.calls["DescribeAlarms"] == 10


def test_an_alarm_that_is_not_there_is_a_failure(aws: AwsApi) -> None:
    alarms(aws, alarm("a"))
    assert ask(names=["a", "typo"]).reason == "CloudWatch knows no alarm typo"
    alarms(aws)
    assert ask(names=[], prefix="typo-").reason == "CloudWatch knows no alarm whose name begins with typo-"


def test_trouble(aws: AwsApi) -> None:
    aws.error("DescribeAlarms", "Throttling")
    with pytest.raises(FactError, match="cloudwatch:DescribeAlarms: Throttling") as caught:
        ask()
    assert caught.value.outcome.status is Status.ERROR
    aws.error("DescribeAlarms", "AccessDenied", 403)
    with pytest.raises(FactDeniedError, match="allow the action cloudwatch:DescribeAlarms"):
        ask()
    aws.answer("DescribeAlarms", {})
    with pytest.raises(FactError, match="invalid response"):
        ask()


def test_when_the_deployment_began_has_to_be_known_to_tell_apart(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE))
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"status": "IN_PROGRESS"}]})
    with pytest.raises(FactError, match="ecs:DescribeServiceDeployments: invalid response"):
        ask()


def test_one_of_names_and_prefix() -> None:
    with pytest.raises(ValidationError, match="give one of names and prefix"):
        ask(prefix="p")


def test_contract_4_5_the_alarms_of_the_deployment_configuration(aws: AwsApi) -> None:
    configured = {"alarmNames": ["api-5xx"], "enable": True, "rollback": True}
    alarms(aws, alarm("api-5xx", "ALARM"))
    deployment = {
        "deploymentConfiguration": {"alarms": configured},
        "startedAt": BEGAN,
    }
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [deployment]})
    assert ask(names=[]).reason == "alarm api-5xx in ALARM"
    configured["enable"] = False
    assert ask(names=[]) == Outcome.skip("neither the check nor the deployment names an alarm")
