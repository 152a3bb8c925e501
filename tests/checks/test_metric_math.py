from __future__ import annotations

import pytest

from ecs_hooks.checks.metric_math import MAX_LENGTH, expression_problem, with_prefix
from ecs_hooks.plan.model import Plan, PlanError

IDS = ["errors", "requests", "e", "sum"]


@pytest.mark.parametrize(
    "expression",
    [
        "100 * errors / requests",
        "IF(requests > 0 AND errors >= 1e3, errors / requests, 0)",
        "FILL(errors, REPEAT) + FILL(METRICS(), 0) - -1.5",
        "SUM([errors, requests]) / 2 ^ e && !e || sum == 1",
        "SORT(METRICS('err'), AVG, DESC, 10)",
        'SEARCH(\'{AWS/ApplicationELB,LoadBalancer} MetricName="RequestCount"\', "Sum", 60)',
        'SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)',
        "ANOMALY_DETECTION_BAND(errors, 2)",
        "(errors)",
        "-errors * -1 + (2) - +3",
        "FILL(errors, LINEAR) OR NOT (requests)",
        "[errors, requests]",
    ],
)
def test_expressions_of_the_documentation_are_valid(expression: str) -> None:
    assert expression_problem(expression, IDS) == ""


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (" ", "must not be blank"),
        (
            "errors / request",
            "has an id that is not one of queries (e, errors, requests, sum); did you mean 'requests'?",
        ),
        ("Errors / requests", "has an id that is not one of queries"),
        ("avg(errors)", "has a function that metric math does not have; did you mean 'AVG'?"),
        ("sum(errors)", "has a function that metric math does not have; did you mean 'SUM'?"),
        ("AVERAGE(errors)", "has a function that metric math does not have"),
        ("(errors", "has ( without an end"),
        ("errors)", "has ) without ("),
        ("SUM([errors)", "has ) without ("),
        ('FILL(errors, "0)', 'has a quotation mark (") without an end'),
        ("errors % 2", "has the character '%', which metric math does not have"),
        ("errors requests", "has requests after errors without an operator between them"),
        ("100 errors", "has errors after 100 without an operator between them"),
        ("(errors) 2", "has 2 after ) without an operator between them"),
        ("errors +", "ends with +"),
        ("errors >=", "ends with ="),
        ("* errors", "has * without a value before it"),
        ("errors * / requests", "has / without a value before it"),
        ("SUM(/ errors)", "has / without a value before it"),
        ("errors; requests", "has the character ';', which metric math does not have"),
    ],
)
def test_an_expression_that_cloudwatch_refuses_is_refused(expression: str, says: str) -> None:
    assert expression_problem(expression, IDS).startswith(says)
    queries = {each: {"namespace": "a", "metric": "b"} for each in IDS}
    check = {"type": "metric", "queries": queries, "expression": expression, "fail_if": {"above": 1}}
    with pytest.raises(PlanError, match=r"^hookDetails\.checks\[0\]\.expression: "):
        Plan.parse({"checks": [check]})


@pytest.mark.parametrize(
    ("expression", "prefixed"),
    [
        ("100 * errors / requests", "100 * c1_errors / c1_requests"),
        ("1e3 + e + e1 + 2.e", "1e3 + c1_e + e1 + 2.c1_e"),
        ("SUM(sum) + 'errors' + \"e\"", "SUM(c1_sum) + 'errors' + \"e\""),
        ("SUM(METRICS())", "SUM([c1_errors, c1_requests, c1_e, c1_sum])"),
        ("SUM(METRICS('e')) + MAX(METRICS(\"su\"))", "SUM([c1_errors, c1_requests, c1_e]) + MAX([c1_sum])"),
        ("SELECT SUM(errors) FROM e", "SELECT SUM(errors) FROM e"),
    ],
)
def test_ids_are_unique_in_a_call_for_several_checks(expression: str, prefixed: str) -> None:
    assert with_prefix(expression, IDS, "c1") == prefixed


def test_an_expression_fits_with_the_prefixes() -> None:
    check = {"type": "metric", "queries": {"a": {"namespace": "a", "metric": "b"}}, "fail_if": {"above": 1}}
    fits = "+".join(["a"] * (MAX_LENGTH // 7))
    Plan.parse({"checks": [{**check, "expression": fits}]})
    with pytest.raises(
        PlanError, match=r"expression: must have at most 2048 characters with 5 more before each id, not"
    ):
        Plan.parse({"checks": [{**check, "expression": f"{fits}+a+a"}]})
