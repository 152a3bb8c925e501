from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import NoCredentialsError

from ecs_hooks.codedeploy.event import CodeDeployEvent
from ecs_hooks.codedeploy.report import Reported, report
from ecs_hooks.core.deadline import Deadline
from tests.codedeploy.account import EVENT, Account
from tests.support.aws import Silence


def test_a_report_is_retried_after_an_error(account: Account) -> None:
    def respond(request: dict[str, str]) -> dict[str, str]:
        if account.aws.calls["PutLifecycleEventHookExecutionStatus"] == 1:
            account.aws.silence("PutLifecycleEventHookExecutionStatus", Silence.CLOSE)
        else:
            account.aws.well()
        account.reports.append(request["status"])
        return {}

    account.aws.answer("PutLifecycleEventHookExecutionStatus", respond)
    answer = report(CodeDeployEvent.parse(EVENT), "Succeeded", "us-west-2", Deadline.after(20))
    assert answer.reported is Reported.DONE
    assert account.reports == ["Succeeded", "Succeeded"]


@pytest.mark.parametrize("how", [Silence.CLOSE, Silence.RESET])
def test_retries_end_at_the_deadline(account: Account, how: Silence) -> None:
    account.aws.silence("PutLifecycleEventHookExecutionStatus", how)
    answer = report(CodeDeployEvent.parse(EVENT), "Failed", "us-west-2", Deadline.after(3))
    assert answer.reported is Reported.NOT_YET
    assert answer.problem.startswith("codedeploy:PutLifecycleEventHookExecutionStatus: ")


def recorded_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("ecs_hooks.codedeploy.report.time", SimpleNamespace(sleep=pauses.append))
    return pauses


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "AccessDeniedException", "UnrecognizedClientException", "MissingAuthenticationToken"],
)
def test_a_few_attempts_with_growing_pauses_are_made(
    account: Account, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    pauses = recorded_pauses(monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    account.aws.error("PutLifecycleEventHookExecutionStatus", code)

    answer = report(CodeDeployEvent.parse(EVENT), "Failed", "us-west-2", Deadline.after(120))
    assert (answer.reported, code in answer.problem) == (Reported.NOT_YET, True)
    assert pauses == [1, 2, 4]
    assert account.aws.calls["PutLifecycleEventHookExecutionStatus"] == 4


def test_missing_credentials_are_tried_a_few_times(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = recorded_pauses(monkeypatch)
    monkeypatch.setattr("ecs_hooks.aws.call.client", _without_credentials)

    answer = report(CodeDeployEvent.parse(EVENT), "Failed", "us-west-2", Deadline.after(120))
    assert (answer.reported, pauses) == (Reported.NOT_YET, [1, 2, 4])


def _without_credentials(*_: object, **__: object) -> None:
    raise NoCredentialsError
