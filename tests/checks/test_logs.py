from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import LogsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer, running, task

NOW = 1_800_000_000.0
OVER = 150.0


def container(name: str = "web", driver: str = "awslogs", **options: str) -> dict[str, Any]:
    given = {"awslogs_group": f"/ecs/{name}", "awslogs_stream_prefix": "ecs", **options}
    named = {key.replace("_", "-"): value for key, value in given.items() if value}
    return {"name": name, "logConfiguration": {"logDriver": driver, "options": named}}


def logs(aws: AwsApi, *streams: str, containers: tuple[dict[str, Any], ...] = (container(),)) -> None:
    load_balancer(aws)
    running(aws, task("a"), task("b"))
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": list(containers)}})
    aws.answer("FilterLogEvents", {"events": [{"logStreamName": stream, "message": "hunter2"} for stream in streams]})


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def ask(elapsed: float = OVER, **fields: Any) -> Outcome:
    return LogsCheck.model_validate({"pattern": "?ERROR"} | fields).run(context(None, elapsed=elapsed))


def test_nothing_to_the_end_of_the_window(aws: AwsApi) -> None:
    logs(aws, "ecs/web/blue", "ecs/web/blue")

    evidence = {"matches": 0, "matches_limit": 0}
    assert ask(elapsed=149) == Outcome.wait("0 log events of green match the pattern so far", evidence)
    assert ask() == Outcome.passed("0 log events of green match the pattern", evidence)
    assert aws.asked["DescribeTaskDefinition"][0]["taskDefinition"].endswith(":task-definition/my-app:7")
    assert aws.asked["FilterLogEvents"][1] == {
        "logGroupName": "/ecs/web",
        "logStreamNamePrefix": "ecs/web/",
        "filterPattern": "?ERROR",
        "startTime": int((NOW - OVER) * 1000),
    }


def test_too_many_are_a_failure_at_once(aws: AwsApi) -> None:
    logs(aws, "ecs/web/blue", "ecs/web/b", "ecs/web/a")

    outcome = ask(elapsed=0)
    assert (outcome.status, outcome.reason) == (
        Status.FAIL,
        "2 log events of green match the pattern, the first in ecs/web/b",
    )
    assert ask(max_matches=2).status is Status.PASS


def test_without_tasks_nothing_is_known_of_their_logs(aws: AwsApi) -> None:
    logs(aws)
    running(aws)

    assert ask() == Outcome.error("no task of green is known that could have logged")


def test_every_container_that_logs_to_cloudwatch_is_asked(aws: AwsApi) -> None:
    other = container("other", awslogs_region="eu-west-1")
    bare = {"name": "bare"}
    logs(
        aws,
        "ecs/other/a",
        containers=(container(), other, bare, container("no", "fluentd"), container("old", awslogs_stream_prefix="")),
    )

    assert ask().reason == "1 log event of green match the pattern, the first in ecs/other/a"
    assert [asked["logGroupName"] for asked in aws.asked["FilterLogEvents"]] == ["/ecs/web", "/ecs/other"]
    assert ask(container="web").status is Status.PASS


@pytest.mark.parametrize(("name", "which"), [("", "no container of green"), ("web", "container web")])
def test_without_logs_nothing_passes(aws: AwsApi, name: str, which: str) -> None:
    logs(aws, containers=(container("web", "fluentd"),))

    assert ask(container=name) == Outcome.failed(
        f"{which} is known to log with the awslogs driver and an awslogs-stream-prefix"
    )


def test_pages_are_read_until_there_are_enough(aws: AwsApi) -> None:
    logs(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"events": [], "nextToken": "2"},
        "2": {"events": [{"logStreamName": "ecs/web/a"}] * 3, "nextToken": "3"},
    }
    aws.answer("FilterLogEvents", lambda asked: pages[asked.get("nextToken")])

    assert ask().evidence == {"matches": 3, "matches_limit": 0}


def test_a_search_without_end_is_no_pass(aws: AwsApi) -> None:
    logs(aws)
    aws.answer("FilterLogEvents", {"events": [], "nextToken": "again"})
    with pytest.raises(FactError, match="more than 20 pages of events"):
        ask()


def test_trouble(aws: AwsApi) -> None:
    logs(aws)
    aws.error("FilterLogEvents", "ResourceNotFoundException")
    with pytest.raises(FactDeniedError, match="logs:FilterLogEvents: ResourceNotFoundException"):
        ask()
    aws.answer("FilterLogEvents", {"events": [{"message": "x"}]})
    with pytest.raises(FactError, match="logs:FilterLogEvents: invalid response"):
        ask()
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {}})
    with pytest.raises(FactError, match="ecs:DescribeTaskDefinition: invalid response"):
        ask()
