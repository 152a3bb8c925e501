from __future__ import annotations

import pytest

from ecs_hooks.checks.log_syntax import pattern_problem, query_problem
from ecs_hooks.plan.model import Plan, PlanError


@pytest.mark.parametrize(
    "pattern",
    [
        "ERROR",
        "?ERROR ?Exception",
        "ERROR -ARGUMENTS",
        '-"out of" memory',
        '"[WARN] a/b: c"',
        "%AUTHORIZED% 404",
        "Ausnahme für",
        "[ip, user, status_code = 4*, size]",
        '{ $.level = "error" }',
        "{$.e.f[0].g >= 5}",
        "{ $.a = 5* }",
        "{ $.a = -1.5e3 && $.b = %x y% }",
        "{ $.a IS NULL || $.b NOT EXISTS }",
        '{ ($.a = 1) || ($.b != "x" && ($.c = true)) }',
        "{ $.['cluster.name'] = 1.2.3.4 }",
        '{ $.a = "a \\" } b" }',
    ],
)
def test_patterns_of_the_documentation_are_valid(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("error:", "has a term with characters other than letters, digits and _"),
        ("GET /orders", "has a term with characters other than letters, digits and _"),
        ('"a', "has a quotation mark"),
        ('"a"b', "has a quotation mark"),
        ("[a, b", "has [ without ]"),
        ('{ $.level = "error"', "begins with {, so it must end with }"),
        ('{ level = "error" }', "must have conditions about $.FIELD"),
        ("{ $.a == 1 }", "must have conditions about $.FIELD"),
        ("{ $.a }", "must have conditions about $.FIELD"),
        ("{ $.a = 1 $.b = 2 }", "must have conditions about $.FIELD"),
        ("{ $.a = 1) }", "must have conditions about $.FIELD"),
        ("{ $.a = 1 && }", "ends before a condition or a parenthesis does"),
        ("{ ($.a = 1 }", "ends before a condition or a parenthesis does"),
        ("{ }", "ends before a condition or a parenthesis does"),
    ],
)
def test_a_pattern_that_cloudwatch_refuses_is_refused(pattern: str, says: str) -> None:
    assert says in pattern_problem(pattern)
    with pytest.raises(PlanError, match=r"^hookDetails\.checks\[0\]\.pattern: "):
        Plan.parse({"checks": [{"type": "logs", "pattern": pattern}]})


@pytest.mark.parametrize(
    "query",
    [
        'filter level = "error" | stats count(*) as errors by path',
        "fields @timestamp, @message\n| filter @message like /a|(b/\n| sort @timestamp desc | limit 20",
        "# a | comment (\nFILTER a = 1",
        'parse @message "a * b" as x, y | stats avg(x) by bin(5m)',
        "filter strcontains(@message, 'a(b|') | dedup id",
        "filter a / 2 > 1 | filter b / 3 > 2",
        "fields `a|b` | filter a in ['x'] | pattern @message",
        'filter @message like "it\'s" | diff',
        "filterIndex a = 1 | unmask @message",
        "limit\t5",
        "fields by | filter not a",
    ],
)
def test_queries_of_the_documentation_are_valid(query: str) -> None:
    assert query_problem(query) == ""


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("filtr a = 1", "has a command that Logs Insights does not have; did you mean 'filter'?"),
        ("SELECT * FROM x", "has a command that Logs Insights does not have; known: "),
        ("ERROR", "has a command that Logs Insights does not have"),
        ("{ $.a = 1 }", "has a command that Logs Insights does not have"),
        ("filter a = 1 |", "has an empty command before or after |"),
        ("| filter a = 1", "has an empty command before or after |"),
        ("filter (a = 1", "has ( without an end"),
        ("filter a = 1)", "has ) without ("),
        ('filter a = "x', 'has " without an end'),
        ("filter", "has the command filter without an argument"),
        ("filter a = 1 | limit 0", "has a limit that is not a whole number from 1 to 10000"),
        ("stats count(*) by", "has the command stats that ends with by"),
        ("stats count(*) AS ", "has the command stats that ends with AS"),
        ("parse @message 'a *' as", "has the command parse that ends with as"),
        ("filter a >= | limit 5", "has the command filter that ends with ="),
        ("filter a = 1 and", "has the command filter that ends with and"),
        ("fields a,", "has the command fields that ends with ,"),
        ("limit \u0663", "has a limit that is not a whole number from 1 to 10000"),
        ("limit 10001", "has a limit that is not a whole number from 1 to 10000"),
    ],
)
def test_a_query_that_logs_insights_refuses_is_refused(query: str, says: str) -> None:
    assert says in query_problem(query)
    with pytest.raises(PlanError, match=r"^hookDetails\.checks\[0\]\.query: "):
        Plan.parse({"checks": [{"type": "logs", "query": query}]})
