from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import LogsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.engine.runner import outcome_of_exception
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.checks.test_logs import NOW, OVER, container, logs
from tests.support.aws import AwsApi
from tests.support.layouts import running, task

QUERY = 'filter level = "error" | stats count(*) as errors by path'


def row(**columns: object) -> list[dict[str, str]]:
    return [{"field": name, "value": str(value)} for name, value in columns.items()]


def queries(aws: AwsApi, *rows: list[dict[str, str]], **fields: Any) -> None:
    """Have every query give these rows at once."""
    logs(aws, **fields)
    aws.answer("StartQuery", lambda asked: {"queryId": f"of {','.join(asked['logGroupNames'])}"})
    complete(aws, *rows)


def complete(aws: AwsApi, *rows: list[dict[str, str]]) -> None:
    statistics = {"bytesScanned": 1024.0, "recordsMatched": 77.0}
    aws.answer("GetQueryResults", {"status": "Complete", "results": list(rows), "statistics": statistics})


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def ask(elapsed: float = OVER, seconds: float = 20, **fields: Any) -> Outcome:
    return LogsCheck.model_validate({"query": QUERY} | fields).run(context(None, elapsed=elapsed, seconds=seconds))


def outcome(**fields: Any) -> Outcome:
    with pytest.raises(FactError) as caught:
        ask(**fields)
    return outcome_of_exception(caught.value)[0]


def test_a_query_sees_the_streams_of_green_in_the_window(aws: AwsApi) -> None:
    queries(aws)

    evidence = {"rows": 0, "rows_limit": 0, "scanned_bytes": 1024}
    assert ask() == Outcome.passed("the query gives 0 rows of green's log", evidence)
    assert aws.asked["StartQuery"] == [
        {
            "logGroupNames": ["/ecs/web"],
            "queryString": f'filter @logStream in ["ecs/web/a","ecs/web/b"] |\n{QUERY}',
            "startTime": int(NOW - OVER),
            "endTime": int(NOW),
        }
    ]
    assert aws.asked["GetQueryResults"] == [{"queryId": "of /ecs/web"}]


def test_it_is_asked_when_there_can_be_something_then_once_a_minute_and_at_the_end(aws: AwsApi) -> None:
    queries(aws)

    assert ask(elapsed=10) == Outcome.wait("what green logs can't be found yet", retry_after=20)
    assert aws.calls["StartQuery"] == 0
    assert ask(elapsed=30).retry_after == 60
    assert ask(elapsed=140).retry_after == 10
    assert ask(elapsed=140).reason == "the query gives 0 rows of green's log so far"


def test_a_window_without_length_has_an_end_all_the_same(aws: AwsApi) -> None:
    queries(aws)
    ask(elapsed=0, lag_seconds=0)

    (asked,) = aws.asked["StartQuery"]
    assert asked["endTime"] - asked["startTime"] == 1


def test_rows_are_counted_not_the_events_that_they_come_of(aws: AwsApi) -> None:
    queries(aws, row(path="/a", errors=70), row(path="/b", errors=7))

    failed = ask(elapsed=30)
    assert (failed.status, failed.reason) == (Status.FAIL, "the query gives 2 rows of green's log, at most 0 may be")
    assert ask(max_matches=2).status is Status.PASS


def test_the_number_in_a_column_is_judged(aws: AwsApi) -> None:
    queries(aws, row(path="/a", errors="7.5"), row(path="/b", errors=1), row(path="/c", errors=12))

    failed = ask(elapsed=30, field="errors", fail_if={"above": 7})
    assert (failed.status, failed.reason) == (Status.FAIL, "errors is above 7 in 2 of 3 rows, such as 12")
    passed = ask(field="errors", fail_if={"above": 12, "below": 1})
    assert passed.status is Status.PASS
    assert dict(passed.evidence) == {
        "rows": 3,
        "scanned_bytes": 1024,
        "highest_value": 12,
        "highest_value_limit": 12,
        "lowest_value": 1,
        "lowest_value_lower_limit": 1,
    }


def test_too_little_is_judged_at_the_end(aws: AwsApi) -> None:
    queries(aws, row(requests=3))

    assert ask(elapsed=149, field="requests", fail_if={"below": 5}).status is Status.WAIT
    assert ask(field="requests", fail_if={"below": 5}).reason == "requests is below 5 in 1 of 1 row, such as 3"
    assert ask(field="requests", fail_if={"below": 3}).status is Status.PASS


def test_no_rows_are_too_little_and_never_too_much(aws: AwsApi) -> None:
    queries(aws)

    assert ask(field="errors", fail_if={"above": 5}).status is Status.PASS
    assert ask(elapsed=149, field="requests", fail_if={"below": 5}).status is Status.WAIT
    failed = ask(field="requests", fail_if={"below": 5})
    assert (failed.status, failed.reason) == (
        Status.FAIL,
        "the query gives 0 rows of green's log, so nothing is known of requests",
    )


@pytest.mark.parametrize("value", ["", "many", "NaN", "inf"])
def test_a_column_without_numbers_is_a_failure_that_names_those_there_are(aws: AwsApi, value: str) -> None:
    queries(aws, row(errors=1, path="/a"), [*row(errors=value, path="hunter2"), {"field": "@ptr", "value": "x"}])

    failed = ask(field="errors", fail_if={"above": 5})
    assert (failed.status, failed.reason) == (
        Status.FAIL,
        "column errors of the query's result is not a number in each row; columns: errors, path",
    )


def test_a_column_that_is_not_there(aws: AwsApi) -> None:
    queries(aws, row(**{f"c{number:02}": number for number in range(12)}))
    assert ask(field="errors", fail_if={"above": 5}).reason.endswith(
        "columns: c00, c01, c02, c03, c04, c05, c06, c07, c08, c09 and 2 more"
    )
    complete(aws, [{"field": "@ptr", "value": "x"}])
    assert ask(field="errors", fail_if={"above": 5}).reason.endswith("columns: none")


def test_a_query_that_takes_a_while_is_waited_for(aws: AwsApi) -> None:
    queries(aws)
    coming = iter(["Scheduled", "Running", "Unknown"])
    done = {"status": "Complete", "results": [], "statistics": {}}
    aws.answer("GetQueryResults", lambda _: next(({"status": each} for each in coming), done))

    assert ask().evidence == {"rows": 0, "rows_limit": 0, "scanned_bytes": 0}
    assert aws.calls == {**aws.calls, "StartQuery": 1, "GetQueryResults": 4}


def test_a_query_that_takes_too_long_is_asked_anew(aws: AwsApi) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": "Running", "results": [row(errors=1)]})

    assert ask(seconds=1) == Outcome.wait("the query took longer than this invocation may", retry_after=60)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_fails_is_an_error(aws: AwsApi, status: str) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": status})

    assert outcome() == Outcome.error(f"logs:GetQueryResults: the query ended with the status {status}")


def test_several_groups_are_asked_together_and_regions_apart(aws: AwsApi) -> None:
    other = container("other", awslogs_region="eu-west-1")
    queries(aws, row(n=1), containers=(container(), container("side", awslogs_stream_prefix="x"), other))

    assert ask(max_matches=5).evidence == {"rows": 2, "rows_limit": 5, "scanned_bytes": 2048}
    assert [asked["logGroupNames"] for asked in aws.asked["StartQuery"]] == [["/ecs/other"], ["/ecs/side", "/ecs/web"]]
    named = aws.asked["StartQuery"][1]["queryString"].partition(" |")[0]
    assert named == 'filter @logStream in ["ecs/web/a","ecs/web/b","x/side/a","x/side/b"]'
    ask(container="other")
    assert aws.asked["StartQuery"][2]["logGroupNames"] == ["/ecs/other"]


def test_a_hundred_tasks_fit_into_a_query(aws: AwsApi) -> None:
    queries(aws)
    running(aws, *(task(f"{number:032x}") for number in range(100)))
    assert ask(query=f"filter @message like /{'x' * 3_900}/").status is Status.PASS

    aws.answer(
        "DescribeTaskDefinition",
        {"taskDefinition": {"containerDefinitions": [container(), container("b"), container("c")]}},
    )
    failed = outcome()
    assert failed.status is Status.FAIL
    assert failed.reason.startswith("query: 12582 characters with the names of 300 ")
    assert failed.reason.endswith("log streams, at most 10000 are allowed; name a container, or shorten the query")


def test_a_stream_that_would_end_its_quotation_is_refused(aws: AwsApi) -> None:
    queries(aws, containers=(container(awslogs_stream_prefix='x"] or @message like "'),))

    assert outcome().status is Status.FAIL
    assert aws.calls["StartQuery"] == 0


def test_pages_of_rows_are_joined(aws: AwsApi) -> None:
    queries(aws)
    pages: dict[str | None, dict[str, Any]] = {
        None: {"status": "Complete", "results": [row(errors=1)], "nextToken": "2"},
        "2": {"status": "Complete", "results": [row(errors=9)]},
    }
    aws.answer("GetQueryResults", lambda asked: pages[asked.get("nextToken")])

    assert ask(field="errors", fail_if={"above": 5}).reason == "errors is above 5 in 1 of 2 rows, such as 9"


def test_rows_without_end_are_no_pass(aws: AwsApi) -> None:
    queries(aws)
    aws.answer("GetQueryResults", {"status": "Complete", "results": [], "nextToken": "again"})

    assert outcome() == Outcome.failed("logs:GetQueryResults: more than 20 pages of rows; add a limit to the query")


def test_a_mistake_in_the_query_is_told_with_what_cloudwatch_says_of_it(aws: AwsApi) -> None:
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
def test_trouble(aws: AwsApi, operation: str, code: str, status: int, expected: Outcome) -> None:
    queries(aws)
    aws.error(operation, code, status)

    assert outcome() == expected


def test_answers_that_can_not_be_read(aws: AwsApi) -> None:
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
        ({"query": " \n"}, "query must be there, and not begin with SOURCE"),
        ({"query": "\nsource logGroups() | fields x"}, "query must be there, and not begin with SOURCE"),
        ({"query": "x" * 4_001}, "at most 4000 characters"),
        ({"query": "fields x", "field": "x"}, "give both field and fail_if, or none of them"),
        ({"query": "fields x", "fail_if": {"above": 1}}, "give both field and fail_if, or none of them"),
        ({"pattern": "x", "field": "x", "fail_if": {"above": 1}}, "field is for a query, in place of max_matches"),
        (
            {"query": "fields x", "field": "x", "fail_if": {"above": 1}, "max_matches": 1},
            "field is for a query, in place of max_matches",
        ),
        ({"query": "fields x", "field": "x", "fail_if": {}}, "give above, below or both"),
    ],
)
def test_mistakes(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LogsCheck.model_validate(fields)
    assert problem in str(caught.value)


def test_a_query_of_a_plan_is_read(aws: AwsApi) -> None:
    given = {"type": "logs", "query": "source_ip = 1", "field": "n", "fail_if": {"above": 1}}
    assert Plan.parse({"checks": [given]}).checks
    with pytest.raises(PlanError, match="give one of pattern and query"):
        Plan.parse({"checks": [{"type": "logs"}]})
