from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.tasks import Container, Task, list_tasks, started_by
from tests.conftest import GREEN, load_event
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer, running, task

REVISION = EcsArn.parse(GREEN)


def green_tasks(status: str = "RUNNING") -> list[Task]:
    return list_tasks(REVISION.region, "my-cluster", "my-service", started_by(REVISION), status)


def test_contract_5_1_the_tasks_of_a_revision_are_found_by_started_by(aws: AwsApi) -> None:
    running(aws, task("a"), task("b", startedBy="ecs-svc/1"))

    (found,) = green_tasks()
    assert (found.id, found.status, found.health) == ("a", "RUNNING", "HEALTHY")
    assert found.containers == (Container("web", "HEALTHY", "sha256:abc", None, "10.0.0.7"),)
    assert aws.asked["ListTasks"] == [
        {"cluster": "my-cluster", "startedBy": "ecs-svc/9313423515462893900", "maxResults": 100}
    ]


def test_stopped_tasks_have_a_reason(aws: AwsApi) -> None:
    stopped: dict[str, Any] = {
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "stoppedAt": datetime(2026, 11, 21, tzinfo=UTC),
        "containers": [{"name": "web", "exitCode": 1}],
    }
    running(aws, task("a", **stopped))

    (found,) = green_tasks("STOPPED")
    assert (found.stop_code, found.stopped_reason) == ("EssentialContainerExited", "Essential container in task exited")
    assert found.stopped_at == datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    assert found.containers == (Container("web", "UNKNOWN", "", 1, ""),)
    assert aws.asked["ListTasks"][0]["desiredStatus"] == "STOPPED"
    assert aws.asked["ListTasks"][0]["serviceName"] == "my-service"


def test_no_tasks_need_one_call(aws: AwsApi) -> None:
    running(aws)

    assert green_tasks() == []
    assert aws.calls == {"ListTasks": 1}


def test_a_task_may_have_only_an_arn_and_a_status(aws: AwsApi) -> None:
    bare = {"taskArn": "arn:aws:ecs:us-west-2:123456789012:task/c/a", "lastStatus": "PENDING"}
    running(aws, {**bare, "startedBy": "ecs-svc/9313423515462893900"}, bare)

    assert green_tasks() == [Task("a", "PENDING", "UNKNOWN", "", "", "ecs-svc/9313423515462893900", None, ())]


@pytest.mark.parametrize("answer", [{"tasks": [{"lastStatus": "RUNNING"}]}, {"failures": []}])
def test_an_incomplete_task_is_an_invalid_response(aws: AwsApi, answer: dict[str, Any]) -> None:
    running(aws, task("a"))
    aws.answer("DescribeTasks", answer)
    with pytest.raises(FactError, match="ecs:DescribeTasks: invalid response"):
        green_tasks()


def test_the_tasks_of_blue(aws: AwsApi) -> None:
    load_balancer(aws)
    running(aws, task("a"), task("b", startedBy="ecs-svc/1920498462936580504"))
    deployment = ServiceDeployment(LifecycleEvent.parse(load_event()))

    assert [each.id for each in deployment.tasks] == ["a"]
    assert [each.id for each in deployment.blue_tasks] == ["b"]
    assert {parameters.get("startedBy") for parameters in aws.asked["ListTasks"]} == {
        "ecs-svc/9313423515462893900",
        "ecs-svc/1920498462936580504",
    }


def test_a_first_deployment_has_no_tasks_of_blue(aws: AwsApi) -> None:
    load_balancer(aws)
    (described,) = aws.asking("DescribeServiceDeployments")["serviceDeployments"]
    described["sourceServiceRevisions"] = []

    assert ServiceDeployment(LifecycleEvent.parse(load_event())).blue_tasks == []
