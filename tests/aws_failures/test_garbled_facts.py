"""Facts from `hookDetails` that are invalid are fetched again."""

from __future__ import annotations

import copy
import json
from typing import Any

from ecs_hooks.deployment.facts import Facts
from tests.aws_failures.operations import ALARM, HTTP, LOGS, METRIC, TARGETS, TASKS, answer, event
from tests.fuzz.mutation import places
from tests.support.aws import AwsApi

SCRAPS: list[Any] = [None, True, -1, [], {}, "text"]
OF_BLUE = {
    "type": "metric",
    "name": "blue",
    "queries": {"a": {"namespace": "X", "metric": "Y", "dimensions": {"TargetGroup": "{blue.target_group}"}}},
    "fail_if": {"above": 90},
    "missing_data": "pass",
}


def known(aws: AwsApi) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an event with all kinds of facts, and those facts."""
    aws.error("FilterLogEvents", "Throttling")
    invocation = event({}, checks=[HTTP, LOGS, TARGETS, TASKS, ALARM, METRIC, OF_BLUE], timeout_minutes=60)
    aws.answer(
        "DescribeAlarms", {"MetricAlarms": [{"AlarmName": "api-5xx", "StateValue": "OK"}], "CompositeAlarms": []}
    )
    first = answer(invocation)
    assert first["hookStatus"] == "IN_PROGRESS", first
    aws.well()
    facts = json.loads(first["hookDetails"]["ecsHooks"]["facts"].partition(" ")[2])
    assert {name.partition(" ")[0] for name in facts} == {"green", "blue", "source", "logs", "listener"}
    first["hookDetails"]["ecsHooks"]["checks"] = ""  # so that every check runs again
    return {**invocation, "hookDetails": first["hookDetails"]}, facts


def with_facts(invocation: dict[str, Any], facts: Any) -> dict[str, Any]:
    """Return an event with these facts, as if this library had written them."""
    store = Facts()
    for name, fact in facts.items():
        store.get(name, lambda fact=fact: fact, kind=object, keep=lambda _: True)  # type: ignore[misc]
    changed = copy.deepcopy(invocation)
    changed["hookDetails"]["ecsHooks"]["facts"] = store.dump()
    return changed


def test_valid_facts_are_not_fetched_again(aws: AwsApi) -> None:
    invocation, facts = known(aws)
    aws.calls.clear()

    assert answer(with_facts(invocation, facts))["hookStatus"] == "SUCCEEDED"
    assert {"DescribeServiceRevisions", "DescribeTaskDefinition", "DescribeListeners"}.isdisjoint(aws.calls)
    assert {"DescribeRules", "DescribeTargetHealth", "GetMetricData", "FilterLogEvents"} <= set(aws.calls)


def test_an_invalid_fact_is_fetched_again(aws: AwsApi) -> None:
    invocation, facts = known(aws)
    for path in places(facts):
        for scrap in SCRAPS if path else ():
            garbled = copy.deepcopy(facts)
            holder = garbled
            for step in path[:-1]:
                holder = holder[step]
            if type(holder[path[-1]]) is not type(scrap):
                holder[path[-1]] = scrap
                assert answer(with_facts(invocation, garbled))["hookStatus"] == "SUCCEEDED", (path, scrap)


def test_edited_facts_are_all_fetched_again(aws: AwsApi) -> None:
    invocation, _ = known(aws)
    invocation["hookDetails"]["ecsHooks"]["facts"] = invocation["hookDetails"]["ecsHooks"]["facts"].replace(
        "my-alb", "other"
    )
    aws.calls.clear()

    assert answer(invocation)["hookStatus"] == "SUCCEEDED"
    assert aws.calls["DescribeServiceRevisions"] == 2
