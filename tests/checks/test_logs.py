from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import LogsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.support.aws import AwsApi
from tests.support.layouts import load_balancer, running, task

NOW = 1_800_000_000.0
OVER = 150.0
QUERY = 'filter level = "error" | stats count(*) as errors by path'


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


def run(elapsed: float = OVER, **fields: Any) -> Outcome:
    return LogsCheck.model_validate({"pattern": "?ERROR"} | fields).run(context(None, elapsed=elapsed))


def test_no_match_passes_at_the_end_of_the_window(aws: AwsApi) -> None:
    logs(aws, "ecs/web/blue", "ecs/web/blue")

    evidence = {"matches": 0, "matches_limit": 0}
    assert run(elapsed=149) == Outcome.wait("0 log events of green match the pattern so far", evidence)
    assert run() == Outcome.passed("0 log events of green match the pattern", evidence)
    assert aws.asked["DescribeTaskDefinition"][0]["taskDefinition"].endswith(":task-definition/my-app:7")
    assert aws.asked["FilterLogEvents"][1] == {
        "logGroupName": "/ecs/web",
        "logStreamNamePrefix": "ecs/web/",
        "filterPattern": "?ERROR",
        "startTime": int((NOW - OVER) * 1000),
    }


def test_too_many_matches_fail_at_once(aws: AwsApi) -> None:
    logs(aws, "ecs/web/blue", "ecs/web/b", "ecs/web/a")

    outcome = run(elapsed=0)
    assert (outcome.status, outcome.reason) == (
        Status.FAIL,
        "2 log events of green match the pattern, the first in ecs/web/b",
    )
    assert run(max_matches=2).status is Status.PASS


def test_without_tasks_there_are_no_logs(aws: AwsApi) -> None:
    logs(aws)
    running(aws)

    assert run() == Outcome.error("green has no tasks, so it has no log streams")


def test_the_logs_of_all_containers_are_read(aws: AwsApi) -> None:
    other = container("other", awslogs_region="eu-west-1")
    bare = {"name": "bare"}
    logs(
        aws,
        "ecs/other/a",
        containers=(container(), other, bare, container("no", "fluentd"), container("old", awslogs_stream_prefix="")),
    )

    assert run().reason == "1 log event of green match the pattern, the first in ecs/other/a"
    assert [request["logGroupName"] for request in aws.asked["FilterLogEvents"]] == ["/ecs/web", "/ecs/other"]
    assert run(container="web").status is Status.PASS


REQUIRED = "cannot read the log of green's application from CloudWatch, which requires the awslogs driver with "
ROUTER = {**container("router"), "firelensConfiguration": {"type": "fluentbit"}}


@pytest.mark.parametrize("name", ["", "web"])
@pytest.mark.parametrize(
    ("configured", "obstacle"),
    [
        (container("web", "awsfirelens"), "log driver awsfirelens"),
        (container("web", "splunk"), "log driver splunk"),
        (container("web", "fluentd"), "log driver fluentd"),
        (container("web", "none"), "log driver none"),
        ({"name": "web"}, "no log configuration"),
        (container(awslogs_stream_prefix=""), "log driver awslogs without awslogs-stream-prefix"),
        (container(awslogs_group=""), "log driver awslogs without awslogs-group"),
        ({"name": "web", "logConfiguration": {"logDriver": "json-file"}}, "log driver json-file"),
    ],
)
def test_a_container_that_logs_elsewhere_is_no_pass(
    aws: AwsApi, name: str, configured: dict[str, Any], obstacle: str
) -> None:
    logs(aws, containers=(configured,))

    assert run(container=name) == Outcome.failed(f"{REQUIRED}awslogs-stream-prefix: container web ({obstacle})")


def test_a_container_that_does_not_exist_is_an_error_with_those_that_do(aws: AwsApi) -> None:
    logs(aws, containers=(container("app", "awsfirelens"), ROUTER))

    assert run(container="ap") == Outcome.failed(
        "container ap is not in green's task definition; containers: app, router"
    )
    assert run(container="app").reason == f"{REQUIRED}awslogs-stream-prefix: container app (log driver awsfirelens)"
    assert run(container="router").status is Status.PASS
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": []}})
    assert run(container="ap").reason.endswith("containers: none")
    assert run() == Outcome.failed(f"{REQUIRED}awslogs-stream-prefix: no containers")


def test_the_log_router_alone_is_not_the_application(aws: AwsApi) -> None:
    logs(aws, containers=(container("app", "awsfirelens"), ROUTER))

    assert run() == Outcome.failed(
        f"{REQUIRED}awslogs-stream-prefix: container app (log driver awsfirelens), container router (FireLens log router)"
    )


@pytest.mark.parametrize("fields", [{}, {"pattern": None, "query": QUERY}])
def test_a_pass_names_the_containers_that_were_not_checked(aws: AwsApi, fields: dict[str, Any]) -> None:
    containers = (container(), container("envoy", "awsfirelens"), container("init", mode="non-blocking"), {"name": "x"})
    queries(aws, containers=containers)

    note = (
        "; not checked: container envoy (log driver awsfirelens), events that container init may drop (mode non-blocking), "
        "container x (no log configuration)"
    )
    assert (run(**fields).status, run(elapsed=60, **fields).status) == (Status.PASS, Status.WAIT)
    assert run(**fields).reason.endswith(note)
    assert run(elapsed=60, **fields).reason.endswith(note)
    assert not_noted(run(container="web", **fields))


def not_noted(outcome: Outcome) -> bool:
    return "not checked" not in outcome.reason


def test_the_logs_of_a_task_that_stopped_within_the_window_count(aws: AwsApi) -> None:
    logs(aws, "ecs/web/crashed", "ecs/web/before")
    crashed = task("crashed", stoppedAt=datetime.fromtimestamp(NOW - 10, UTC))
    before = task("before", stoppedAt=datetime.fromtimestamp(NOW - OVER - 10, UTC))
    aws.answer(
        "ListTasks",
        lambda request: {"taskArns": ["crashed", "before"] if request.get("desiredStatus") == "STOPPED" else ["a"]},
    )
    aws.answer(
        "DescribeTasks", lambda request: {"tasks": [task("a")] if "a" in request["tasks"] else [crashed, before]}
    )

    assert run().reason == "1 log event of green match the pattern, the first in ecs/web/crashed"


def test_pages_of_events_are_read_until_there_are_too_many(aws: AwsApi) -> None:
    logs(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"events": [], "nextToken": "2"},
        "2": {"events": [{"logStreamName": "ecs/web/a"}] * 3, "nextToken": "3"},
    }
    aws.answer("FilterLogEvents", lambda request: pages[request.get("nextToken")])

    assert run().evidence == {"matches": 3, "matches_limit": 0}


def test_endless_pages_of_events_do_not_pass(aws: AwsApi) -> None:
    logs(aws)
    aws.answer("FilterLogEvents", {"events": [], "nextToken": "again"})
    with pytest.raises(FactError, match="more than 20 pages of events"):
        run()


def test_an_aws_error_has_an_outcome(aws: AwsApi) -> None:
    logs(aws)
    aws.error("FilterLogEvents", "ResourceNotFoundException")
    with pytest.raises(FactDeniedError, match="logs:FilterLogEvents: ResourceNotFoundException"):
        run()
    aws.answer("FilterLogEvents", {"events": [{"message": "x"}]})
    with pytest.raises(FactError, match="logs:FilterLogEvents: invalid response"):
        run()
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {}})
    with pytest.raises(FactError, match="ecs:DescribeTaskDefinition: invalid response"):
        run()


def row(**columns: object) -> list[dict[str, str]]:
    return [{"field": name, "value": str(value)} for name, value in columns.items()]


def queries(aws: AwsApi, *rows: list[dict[str, str]], **fields: Any) -> None:
    """Have every query return these rows."""
    logs(aws, **fields)
    aws.answer("StartQuery", lambda request: {"queryId": f"of {','.join(request['logGroupNames'])}"})
    complete(aws, *rows)


def complete(aws: AwsApi, *rows: list[dict[str, str]]) -> None:
    statistics = {"bytesScanned": 1024.0, "recordsMatched": 77.0}
    aws.answer("GetQueryResults", {"status": "Complete", "results": list(rows), "statistics": statistics})


def run_query(elapsed: float = OVER, seconds: float = 20, **fields: Any) -> Outcome:
    return LogsCheck.model_validate({"query": QUERY} | fields).run(context(None, elapsed=elapsed, seconds=seconds))


def outcome(**fields: Any) -> Outcome:
    with pytest.raises(FactError) as caught:
        run_query(**fields)
    return caught.value.outcome


def test_a_query_is_restricted_to_greens_streams_and_the_window(aws: AwsApi) -> None:
    queries(aws)

    evidence = {"rows": 0, "rows_limit": 0, "scanned_bytes": 1024}
    assert run_query() == Outcome.passed("the query returned 0 rows", evidence)
    assert aws.asked["StartQuery"] == [
        {
            "logGroupNames": ["/ecs/web"],
            "queryString": f'filter @logStream in ["ecs/web/a","ecs/web/b"] |\n{QUERY}',
            "startTime": int(NOW - OVER),
            "endTime": int(NOW),
        }
    ]
    assert aws.asked["GetQueryResults"] == [{"queryId": "of /ecs/web"}]


def test_a_query_runs_after_the_lag_then_once_a_minute_and_at_the_end(aws: AwsApi) -> None:
    queries(aws)

    assert run_query(elapsed=10) == Outcome.wait(
        "CloudWatch needs 30 s (lag_seconds) to find green's log events", retry_after=20
    )
    assert aws.calls["StartQuery"] == 0
    assert run_query(elapsed=30).retry_after == 60
    assert run_query(elapsed=140).retry_after == 10
    assert run_query(elapsed=140).reason == "the query returned 0 rows so far"


def test_a_query_covers_at_least_a_second(aws: AwsApi) -> None:
    queries(aws)
    run_query(elapsed=0, lag_seconds=0)

    (request,) = aws.asked["StartQuery"]
    assert request["endTime"] - request["startTime"] == 1


def test_rows_count_not_the_scanned_events(aws: AwsApi) -> None:
    queries(aws, row(path="/a", errors=70), row(path="/b", errors=7))

    failed = run_query(elapsed=30)
    assert (failed.status, failed.reason) == (Status.FAIL, "the query returned 2 rows, expected at most 0")
    assert run_query(max_matches=2).status is Status.PASS


def test_too_high_a_number_fails_at_once(aws: AwsApi) -> None:
    queries(aws, row(path="/a", errors="7.5"), row(path="/b", errors=1), row(path="/c", errors=12))

    failed = run_query(elapsed=30, field="errors", fail_if={"above": 7})
    assert (failed.status, failed.reason) == (Status.FAIL, "errors is above 7 in 2 of 3 rows, such as 12")
    passed = run_query(field="errors", fail_if={"above": 12, "below": 1})
    assert passed.status is Status.PASS
    assert dict(passed.evidence) == {
        "rows": 3,
        "scanned_bytes": 1024,
        "highest_value": 12,
        "highest_value_limit": 12,
        "lowest_value": 1,
        "lowest_value_lower_limit": 1,
    }


def test_too_low_a_number_fails_at_the_end(aws: AwsApi) -> None:
    queries(aws, row(requests=3))

    assert run_query(elapsed=149, field="requests", fail_if={"below": 5}).status is Status.WAIT
    assert run_query(field="requests", fail_if={"below": 5}).reason == "requests is below 5 in 1 of 1 row, such as 3"
    assert run_query(field="requests", fail_if={"below": 3}).status is Status.PASS


def test_no_rows_fail_a_lower_limit_only(aws: AwsApi) -> None:
    queries(aws)

    assert run_query(field="errors", fail_if={"above": 5}).status is Status.PASS
    assert run_query(elapsed=149, field="requests", fail_if={"below": 5}).status is Status.WAIT
    failed = run_query(field="requests", fail_if={"below": 5})
    assert (failed.status, failed.reason) == (
        Status.FAIL,
        "the query returned 0 rows, so requests is unknown",
    )


@pytest.mark.parametrize("value", ["", "many", "NaN", "inf"])
def test_a_column_without_numbers_fails_with_the_names_of_all_columns(aws: AwsApi, value: str) -> None:
    queries(aws, row(errors=1, path="/a"), [*row(errors=value, path="hunter2"), {"field": "@ptr", "value": "x"}])

    failed = run_query(field="errors", fail_if={"above": 5})
    assert (failed.status, failed.reason) == (
        Status.FAIL,
        "column errors of the query's result is not a number in every row; columns: errors, path",
    )


def test_a_missing_column_fails_with_the_names_of_ten_columns(aws: AwsApi) -> None:
    queries(aws, row(**{f"c{number:02}": number for number in range(12)}))
    assert run_query(field="errors", fail_if={"above": 5}).reason.endswith(
        "columns: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more"
    )
    complete(aws, [{"field": "@ptr", "value": "x"}])
    assert run_query(field="errors", fail_if={"above": 5}).reason.endswith("columns: none")


def test_a_running_query_is_waited_for(aws: AwsApi) -> None:
    queries(aws)
    coming = iter(["Scheduled", "Running", "Unknown"])
    done = {"status": "Complete", "results": [], "statistics": {}}
    aws.answer("GetQueryResults", lambda _: next(({"status": each} for each in coming), done))

    assert run_query().evidence == {"rows": 0, "rows_limit": 0, "scanned_bytes": 0}
    assert aws.calls == {**aws.calls, "StartQuery": 1, "GetQueryResults": 4}


def test_a_query_that_outlasts_the_invocation_runs_again(aws: AwsApi) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": "Running", "results": [row(errors=1)]})

    assert run_query(seconds=1) == Outcome.wait("the query did not end within this invocation", retry_after=60)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_failed_query_is_an_error(aws: AwsApi, status: str) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": status})

    assert outcome() == Outcome.error(f"logs:GetQueryResults: the query ended with the status {status}")


def test_there_is_one_query_for_each_region(aws: AwsApi) -> None:
    other = container("other", awslogs_region="eu-west-1")
    queries(aws, row(n=1), containers=(container(), container("side", awslogs_stream_prefix="x"), other))

    assert run_query(max_matches=5).evidence == {"rows": 2, "rows_limit": 5, "scanned_bytes": 2048}
    assert [request["logGroupNames"] for request in aws.asked["StartQuery"]] == [
        ["/ecs/other"],
        ["/ecs/side", "/ecs/web"],
    ]
    named = aws.asked["StartQuery"][1]["queryString"].partition(" |")[0]
    assert named == 'filter @logStream in ["ecs/web/a","ecs/web/b","x/side/a","x/side/b"]'
    run_query(container="other")
    assert aws.asked["StartQuery"][2]["logGroupNames"] == ["/ecs/other"]


def test_the_streams_of_a_hundred_tasks_fit_into_a_query(aws: AwsApi) -> None:
    queries(aws)
    running(aws, *(task(f"{number:032x}") for number in range(100)))
    assert run_query(query=f"filter @message like /{'x' * 3_900}/").status is Status.PASS

    aws.answer(
        "DescribeTaskDefinition",
        {"taskDefinition": {"containerDefinitions": [container(), container("b"), container("c")]}},
    )
    failed = outcome()
    assert failed.status is Status.FAIL
    assert failed.reason.startswith("query: 12582 characters with the names of 300 ")
    assert failed.reason.endswith("log streams, at most 10000 are allowed; name a container, or shorten the query")


def test_a_stream_name_with_a_quote_is_refused(aws: AwsApi) -> None:
    queries(aws, containers=(container(awslogs_stream_prefix='x"] or @message like "'),))

    assert outcome().status is Status.FAIL
    assert aws.calls["StartQuery"] == 0


def test_pages_of_rows_are_joined(aws: AwsApi) -> None:
    queries(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"status": "Complete", "results": [row(errors=1)], "nextToken": "2"},
        "2": {"status": "Complete", "results": [row(errors=9)]},
    }
    aws.answer("GetQueryResults", lambda request: pages[request.get("nextToken")])

    assert run_query(field="errors", fail_if={"above": 5}).reason == "errors is above 5 in 1 of 2 rows, such as 9"


def test_endless_pages_of_rows_do_not_pass(aws: AwsApi) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": "Complete", "results": [], "nextToken": "again"})

    assert outcome() == Outcome.failed("logs:GetQueryResults: more than 20 pages of rows; add a limit to the query")


def test_a_malformed_query_fails_with_cloudwatchs_message(aws: AwsApi) -> None:
    queries(aws)
    said = {"location": {"startCharOffset": 60}, "message": f"unexpected symbol\n found x {'!' * 300}"}
    aws.error("StartQuery", "MalformedQueryException", queryCompileError=said)
    assert outcome() == Outcome.failed(f"query: rejected by CloudWatch: unexpected symbol found x {'!' * 174}")

    aws.error("StartQuery", "MalformedQueryException", message="unknown command")
    assert outcome() == Outcome.failed("query: rejected by CloudWatch: unknown command")
    aws.error("StartQuery", "MalformedQueryException", message="")
    assert outcome() == Outcome.failed("query: rejected by CloudWatch: MalformedQueryException")


@pytest.mark.parametrize(
    ("operation", "code", "status", "expected"),
    [
        ("StartQuery", "LimitExceededException", 400, Outcome.error("logs:StartQuery: LimitExceededException")),
        (
            "StartQuery",
            "ServiceUnavailableException",
            503,
            Outcome.error("logs:StartQuery: ServiceUnavailableException"),
        ),
        ("StartQuery", "ResourceNotFoundException", 400, Outcome.failed("logs:StartQuery: ResourceNotFoundException")),
        *(
            (
                operation,
                "AccessDeniedException",
                400,
                Outcome.failed(
                    f"logs:{operation}: AccessDeniedException; allow the action logs:{operation} in the function's role"
                ),
            )
            for operation in ("StartQuery", "GetQueryResults")
        ),
    ],
)
def test_an_aws_error_of_a_query_has_an_outcome(
    aws: AwsApi, operation: str, code: str, status: int, expected: Outcome
) -> None:
    queries(aws)
    aws.error(operation, code, status)

    assert outcome() == expected


def test_an_invalid_response_to_a_query_is_an_aws_error(aws: AwsApi) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": "Complete"})
    assert outcome() == Outcome.error("logs:GetQueryResults: invalid response")
    aws.answer("StartQuery", {})
    assert outcome() == Outcome.error("logs:StartQuery: invalid response")
    aws.garbage("StartQuery", b"<html>")
    assert outcome().status is Status.ERROR


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "give one of pattern and query"),
        ({"pattern": "x", "query": "fields x"}, "give one of pattern and query"),
        ({"query": " \n"}, "query: must not be empty or begin with SOURCE"),
        ({"query": "\nsource logGroups() | fields x"}, "query: must not be empty or begin with SOURCE"),
        ({"query": "x" * 4_001}, "at most 4000 characters"),
        ({"query": "fields x", "field": "x"}, "give both field and fail_if, or neither"),
        ({"query": "fields x", "fail_if": {"above": 1}}, "give both field and fail_if, or neither"),
        ({"pattern": "x", "field": "x", "fail_if": {"above": 1}}, "field: requires query, and replaces max_matches"),
        (
            {"query": "fields x", "field": "x", "fail_if": {"above": 1}, "max_matches": 1},
            "field: requires query, and replaces max_matches",
        ),
        ({"query": "fields x", "field": "x", "fail_if": {}}, "requires above, below or both"),
    ],
)
def test_a_mistake_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LogsCheck.model_validate(fields)
    assert problem in str(caught.value)


def test_a_query_may_begin_with_a_field_named_source(aws: AwsApi) -> None:
    given = {"type": "logs", "query": "fields source_ip", "field": "n", "fail_if": {"above": 1}}
    assert Plan.parse({"checks": [given]}).checks
    with pytest.raises(PlanError, match="give one of pattern and query"):
        Plan.parse({"checks": [{"type": "logs"}]})
