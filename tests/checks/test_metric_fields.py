from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.plan.model import Plan, PlanError

METRIC: dict[str, Any] = {"namespace": "Shop", "metric": "Orders"}
COMPARED: dict[str, Any] = {"metric": "Orders", "dimensions": {"TargetGroup": "{revision.target_group}"}}


def metric(fields: dict[str, Any], **check: Any) -> list[str]:
    """Return the problems of a metric check, whose query has these fields."""
    return problems({"type": "metric", "queries": {"a": {**METRIC, **fields}}, "fail_if": {"above": 1}, **check})


def problems(check: dict[str, Any]) -> list[str]:
    try:
        Plan.parse({"checks": [check], "timeout_minutes": 1440})
    except PlanError as error:
        return list(error.problems)
    return []


STATISTICS = [
    "SampleCount",
    "Sum",
    "Average",
    "Minimum",
    "Maximum",
    "IQM",
    "p0",
    "p99",
    "p99.9",
    "p100",
    "p95.0123456789",
    "tm90",
    "tm99.999",
    "tm100",
    "wm98",
    "tc90",
    "ts90",
    "TM(2%:98%)",
    "TM(150:1000)",
    "TM(:95%)",
    "TM(10%:)",
    "WM(10%:90%)",
    "TC(0.005:0.030)",
    "TC(:0.5)",
    "TC(2.0:)",
    "TS(80%:)",
    "PR(:300)",
    "PR(100:2000)",
]
NO_STATISTICS = {
    "p101": "at most 100, not 101",
    "p100.1": "at most 100, not 100.1",
    "TM(0%:101%)": "at most 100, not 101",
    "TM(98%:2%)": "lower bound that is less",
    "TC(5:5)": "lower bound that is less",
    "TM(2%:98)": "two percentages or two values",
    "PR(10%:90%)": "not percentages",
    "TS(:)": "requires a bound",
    "sum": "did you mean 'Sum'?",
    "iqm": "did you mean 'IQM'?",
    "SampleCounts": "did you mean 'SampleCount'?",
    "P99": "did you mean 'p99'?",
    "TM90": "did you mean 'tm90'?",
    "tc(:0.5)": "did you mean 'TC(:0.5)'?",
    **dict.fromkeys(
        ("p", "p-1", "p99%", "p99.12345678901", "TM", "pr90", "Median", "avg", " Sum", "p9९"),
        "is not a statistic of CloudWatch",
    ),
}


@pytest.mark.parametrize("stat", STATISTICS)
def test_statistics_of_cloudwatch_are_valid(stat: str) -> None:
    assert metric({"stat": stat}) == []


@pytest.mark.parametrize("stat", NO_STATISTICS)
def test_other_statistics_are_refused(stat: str) -> None:
    (found,) = metric({"stat": stat})
    assert found.startswith("hookDetails.checks[0].queries.a.stat: ")
    assert NO_STATISTICS[stat] in found
    compared = problems({"type": "comparison", "metrics": [{**COMPARED, "stat": stat}]})
    assert compared[0].startswith("hookDetails.checks[0].metrics[0].stat: ")


@pytest.mark.parametrize(
    "fields",
    [
        {"namespace": ""},
        {"namespace": ":a"},
        {"namespace": " a"},
        {"namespace": "Läden"},
        {"namespace": "a\n"},
        {"namespace": "a" * 256},
        {"metric": ""},
        {"metric": "  "},
        {"metric": "a\tb"},
        {"metric": "a" * 256},
        {"dimensions": {"": "a"}},
        {"dimensions": {":a": "b"}},
        {"dimensions": {" ": "b"}},
        {"dimensions": {"ä": "b"}},
        {"dimensions": {"a\x00": "b"}},
        {"dimensions": {"a" * 256: "b"}},
        {"dimensions": {"a": ""}},
        {"dimensions": {"a": " "}},
        {"dimensions": {"a": "ä"}},
        {"dimensions": {"a": "b\n"}},
        {"dimensions": {"a": "b" * 1025}},
        {"dimensions": {str(number): "a" for number in range(31)}},
        {"dimensions": {"a": "{orders}"}},
    ],
    ids=str,
)
def test_names_that_cloudwatch_refuses_are_refused(fields: dict[str, Any]) -> None:
    (name,) = fields
    found = metric(fields)
    assert found
    assert found[0].startswith("hookDetails.checks[0].queries.a")
    assert name in found[0] or "is not a placeholder" in found[0]


@pytest.mark.parametrize(
    "fields",
    [
        {"namespace": "AWS/ApplicationELB"},
        {"namespace": "My App.v2_x#1:a-b"},
        {"metric": "Bestellungen für heute"},
        {"dimensions": {"a b": "/orders/{{id}}", "TargetGroup": "{green.target_group}"}},
        {"dimensions": {"a": "{green.target_group}" + "b" * 1020 + "{{}}"}},
        {"dimensions": {str(number): "a" for number in range(30)}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_names_that_cloudwatch_documents_are_valid(fields: dict[str, Any]) -> None:
    assert metric(fields) == []


@pytest.mark.parametrize("period", [1, 5, 10, 20, 30, 60, 120, 3600, 30.0])
def test_periods_of_cloudwatch_are_valid(period: float) -> None:
    assert metric({}, period_seconds=period, window_minutes=period / 60) == []


@pytest.mark.parametrize("period", [0, -1, 2, 15, 45, 61, 90, 3660, 1.5, "60"])
def test_other_periods_are_refused(period: Any) -> None:
    assert metric({}, period_seconds=period, window_minutes=120)[0].startswith("hookDetails.checks[0].period_seconds: ")


def test_a_short_period_is_for_metrics_of_high_resolution_and_three_hours() -> None:
    (regular,) = metric({"namespace": "AWS/ApplicationELB"}, period_seconds=10)
    assert regular.endswith(
        "period_seconds: must be a multiple of 60, since AWS/ApplicationELB has one datapoint per minute"
    )
    (late,) = metric({}, period_seconds=10, window_minutes=100, lookback_minutes=100)
    assert late.endswith("for 180 minutes, but window_minutes, lookback_minutes and lag_seconds are 201")
    for other in ({"type": "golden_signals"}, {"type": "comparison", "metrics": [COMPARED], "window_minutes": 15}):
        assert problems({**other, "period_seconds": 10}) == [
            "hookDetails.checks[0].period_seconds: must be a multiple of 60, not 10"
        ]


@pytest.mark.parametrize("name", ["arn:aws:cloudwatch:us-west-2:123456789012:alarm:api-5xx", "a\n"])
@pytest.mark.parametrize("field", ["names", "prefix"])
def test_alarms_have_names(name: str, field: str) -> None:
    assert problems({"type": "alarm", field: [name] if field == "names" else name})
