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


def run(**fields: Any) -> Outcome:
    return AlarmCheck.model_validate({"names": ["a"]} | fields).run(context(None))


def test_alarms_in_ok_pass(aws: AwsApi) -> None:
    alarms(aws, alarm("a"), composite=(alarm("b"),))

    outcome = run(names=["a", "b"])
    assert outcome == Outcome.passed("2 alarms not in ALARM", {"alarms": 2, "alarming": 0, "insufficient_data": 0})
    assert aws.calls == {"DescribeAlarms": 1}
    request = aws.asked["DescribeAlarms"][0]
    assert (request["AlarmNames"], request["AlarmTypes"]) == (["a", "b"], ["MetricAlarm", "CompositeAlarm"])


def test_an_alarm_since_the_deployment_began_fails(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM"), alarm("b", "ALARM", BEFORE), alarm("c", "ALARM", None))

    outcome = run(names=["a", "b", "c"], already_alarming="ignore")
    assert (outcome.status, outcome.reason) == (Status.FAIL, "alarms a, c in ALARM")


@pytest.mark.parametrize(
    ("policy", "status", "reason"),
    [
        (
            "fail",
            Status.FAIL,
            "alarm a in ALARM since before the deployment (to pass, set already_alarming to ignore)",
        ),
        (
            "wait",
            Status.WAIT,
            "alarm a in ALARM since before the deployment (to pass, set already_alarming to ignore)",
        ),
        ("ignore", Status.PASS, "0 alarms not in ALARM, alarm a ignored"),
    ],
)
def test_an_alarm_since_before_the_deployment_has_a_policy(
    aws: AwsApi, policy: str, status: Status, reason: str
) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE))

    outcome = run(already_alarming=policy)
    assert (outcome.status, outcome.reason) == (status, reason)


@pytest.mark.parametrize(("policy", "status"), [("fail", Status.FAIL), ("wait", Status.WAIT), ("ignore", Status.PASS)])
def test_an_alarm_with_insufficient_data_has_a_policy(aws: AwsApi, policy: str, status: Status) -> None:
    alarms(aws, alarm("a", "INSUFFICIENT_DATA"))

    assert run(insufficient_data=policy).status is status
    assert run().status is Status.WAIT


def test_a_failure_takes_precedence_over_a_wait(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE), alarm("b", "INSUFFICIENT_DATA"))

    assert run(names=["a", "b"], already_alarming="wait", insufficient_data="fail").reason == (
        "alarm b in INSUFFICIENT_DATA (to pass, set insufficient_data to ignore)"
    )


def test_a_reason_names_five_alarms(aws: AwsApi) -> None:
    alarms(aws, *[alarm(f"a{number}", "ALARM") for number in range(7)])

    assert run(names=[f"a{number}" for number in range(7)]).reason == "alarms a0, a1, a2, a3, a4 and 2 more in ALARM"


def test_alarms_by_prefix_are_read_from_all_pages(aws: AwsApi) -> None:
    load_balancer(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"MetricAlarms": [alarm("api-1")], "CompositeAlarms": [], "NextToken": "2"},
        "2": {"MetricAlarms": [alarm("api-2")], "CompositeAlarms": []},
    }
    aws.answer("DescribeAlarms", lambda request: pages[request.get("NextToken")])

    assert run(names=[], prefix="api-").reason == "2 alarms not in ALARM"
    assert aws.asked["DescribeAlarms"][0]["AlarmNamePrefix"] == "api-"


def test_endless_pages_are_not_read(aws: AwsApi) -> None:
    alarms(aws)
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm("a")], "CompositeAlarms": [], "NextToken": "again"})

    with pytest.raises(FactDeniedError, match="more than 1000 alarms"):
        run()
    assert aws.calls["DescribeAlarms"] == 10


def test_a_missing_alarm_fails(aws: AwsApi) -> None:
    alarms(aws, alarm("a"))
    assert run(names=["a", "typo"]).reason == "not found in CloudWatch: alarm typo"
    alarms(aws)
    assert run(names=[], prefix="typo-").reason == "not found in CloudWatch: an alarm whose name begins with typo-"


def test_an_aws_error_has_an_outcome(aws: AwsApi) -> None:
    aws.error("DescribeAlarms", "Throttling")
    with pytest.raises(FactError, match="cloudwatch:DescribeAlarms: Throttling") as caught:
        run()
    assert caught.value.outcome.status is Status.ERROR
    aws.error("DescribeAlarms", "AccessDenied", 403)
    with pytest.raises(FactDeniedError, match="allow the action cloudwatch:DescribeAlarms"):
        run()
    aws.answer("DescribeAlarms", {})
    with pytest.raises(FactError, match="invalid response"):
        run()


def test_without_the_begin_of_the_deployment_no_alarm_is_ignored(aws: AwsApi) -> None:
    alarms(aws, alarm("a", "ALARM", BEFORE))
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [{"status": "IN_PROGRESS"}]})
    with pytest.raises(FactError, match="ecs:DescribeServiceDeployments: invalid response"):
        run()


def test_names_conflict_with_prefix() -> None:
    with pytest.raises(ValidationError, match="give one of names and prefix"):
        run(prefix="p")


def test_contract_4_5_default_is_the_alarms_of_the_deployment_configuration(aws: AwsApi) -> None:
    configured = {"alarmNames": ["api-5xx"], "enable": True, "rollback": True}
    alarms(aws, alarm("api-5xx", "ALARM"))
    deployment = {
        "deploymentConfiguration": {"alarms": configured},
        "startedAt": BEGAN,
    }
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [deployment]})
    assert run(names=[]).reason == "alarm api-5xx in ALARM"
    configured["enable"] = False
    assert run(names=[]) == Outcome.skip("neither the check nor the deployment configuration names an alarm")


def test_an_arn_in_place_of_a_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be the name of an alarm, which is the last part of its ARN"):
        run(names=["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"])
