from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from ecs_hooks_simulator import DeploymentController
from ecs_hooks_simulator.aws import answers
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.faults import Fault
from tests.simulator.aws.conftest import Client


def test_a_running_revision_has_the_desired_number_of_tasks(client: Client, controller: DeploymentController) -> None:
    ecs, revision = client("ecs"), controller.adopt(image="api:1")
    arns = ecs.list_tasks(cluster="my-cluster", startedBy=revision.started_by)["taskArns"]
    described = ecs.describe_tasks(cluster="my-cluster", tasks=[*arns, arns[0] + "0"])

    assert len(set(arns)) == 2
    assert {task["taskArn"] for task in described["tasks"]} == set(arns)
    assert described["failures"] == [{"arn": arns[0] + "0", "reason": "MISSING"}]
    (container,) = described["tasks"][0]["containers"]
    assert (container["name"], container["imageDigest"]) == ("api", revision.image_digest)
    assert described["tasks"][0]["startedBy"] == revision.started_by


def test_tasks_are_listed_by_service_without_stopped_tasks(client: Client, controller: DeploymentController) -> None:
    ecs, blue = client("ecs"), controller.adopt(image="api:1")
    green = controller.deploy(image="api:2").target

    listed = ecs.list_tasks(cluster=controller.service.cluster_arn, serviceName="api")["taskArns"]
    assert listed == ecs.list_tasks(cluster="my-cluster", startedBy=green.started_by)["taskArns"]
    assert ecs.list_tasks(cluster="my-cluster", startedBy=blue.started_by)["taskArns"] == []
    assert ecs.list_tasks(cluster="my-cluster", serviceName="api", desiredStatus="STOPPED")["taskArns"] == []


def test_crashed_tasks_are_stopped_and_replaced(client: Client, controller: DeploymentController) -> None:
    ecs = client("ecs")
    deployment = controller.deploy(image="api:1", faults=[Fault.parse("crash@BAKE_TIME")])
    cluster = {"cluster": "my-cluster"}
    stopped = ecs.list_tasks(**cluster, serviceName="api", desiredStatus="STOPPED")["taskArns"]
    pending = ecs.list_tasks(**cluster, startedBy=deployment.target.started_by)["taskArns"]
    described = ecs.describe_tasks(**cluster, tasks=[*stopped, *pending])["tasks"]
    shown = deployment.to_dict()["targetServiceRevision"]

    assert (len(set(stopped)), len(set(pending)), set(stopped) & set(pending)) == (2, 2, set())
    assert [(task["lastStatus"], task["desiredStatus"]) for task in described] == [
        *[("STOPPED", "STOPPED")] * 2,
        *[("PENDING", "RUNNING")] * 2,
    ]
    assert {(task.get("stopCode"), task["containers"][0].get("exitCode")) for task in described} == {
        ("EssentialContainerExited", 137),
        (None, None),
    }
    assert described[0]["stoppedAt"].timestamp() == deployment.created_at
    assert (shown["runningTaskCount"], shown["pendingTaskCount"], shown["requestedTaskCount"]) == (0, 2, 2)


def test_the_task_definition_of_a_revision(client: Client, controller: DeploymentController) -> None:
    ecs, revision = client("ecs"), controller.adopt(image="api:1")

    described = ecs.describe_task_definition(taskDefinition=revision.task_definition)["taskDefinition"]

    assert [(each["name"], each["image"]) for each in described["containerDefinitions"]] == [("api", "api:1")]


def test_moto_answers_for_other_tasks(client: Client, controller: DeploymentController) -> None:
    ecs = client("ecs")
    controller.adopt()
    ecs.create_cluster(clusterName="other")
    ecs.create_cluster(clusterName="my-cluster")

    assert ecs.list_tasks(cluster="other", serviceName="api")["taskArns"] == []
    assert ecs.list_tasks(cluster="my-cluster", serviceName="other")["taskArns"] == []
    assert ecs.list_tasks(cluster="my-cluster", startedBy="somebody")["taskArns"] == []
    assert ecs.describe_tasks(cluster="my-cluster", tasks=["nobody"])["tasks"] == []
    with pytest.raises(ClientError):
        ecs.describe_task_definition(taskDefinition="other:1")


def test_an_error_can_be_injected(client: Client, controller: DeploymentController) -> None:
    answers.inject("ListTasks", EcsError("ThrottlingException", "Rate exceeded"))

    with pytest.raises(ClientError, match="ThrottlingException"):
        client("ecs").list_tasks(cluster="my-cluster")
