from __future__ import annotations

import pytest

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
