from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.plan.model import Plan, PlanError, Policies
from ecs_hooks.plan.schema import _models, plan_schema

ANNOTATED = {"$schema": "https://example.com/plan.json", "x-owner": "team-a", "x-": None}
REQUEST = {"name": "a", "path": "/a", **ANNOTATED}
PLAN: dict[str, Any] = {
    "checks": [
        {
            "type": "http",
            "path": "/",
            "headers": {"x-sent": "1"},
            "query": {"x-sent": "1", "$schema": "2"},
            "auth": {
                "basic": {"username": "a", "password": {"env": "PASSWORD", **ANNOTATED}, **ANNOTATED},
                **ANNOTATED,
            },
            "expect": {
                "headers": {"x-received": {"exists": True, **ANNOTATED}},
                "asserts": [
                    {"query": "status", "equals": 200, **ANNOTATED},
                    {"query": "jsonpath", "path": "$", "filters": [{"nth": 0, **ANNOTATED}], "equals": {"x-kept": 1}},
                ],
                **ANNOTATED,
            },
            "watch": {"count": 3, **ANNOTATED},
            "steps": [{"up_to_percent": 10, "timeout_seconds": 20, **ANNOTATED}],
            **ANNOTATED,
        },
        {"type": "http", "json": {"$schema": "kept", "x-kept": 1}},
        {"type": "scenario", "variables": {"a": "1"}, "requests": [REQUEST], **ANNOTATED},
        {
            "type": "metric",
            "queries": {
                "errors": {"namespace": "Shop", "metric": "Errors", "dimensions": {"x-kept": "1"}, **ANNOTATED},
            },
            "fail_if": {"above": 1, **ANNOTATED},
            **ANNOTATED,
        },
    ],
    **ANNOTATED,
}


def problems(configuration: Any) -> list[str]:
    with pytest.raises(PlanError) as raised:
        Plan.parse(configuration)
    return list(raised.value.problems)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(plan_schema())


def test_annotations_are_ignored_in_objects_with_fixed_fields_alone(validator: jsonschema.Draft202012Validator) -> None:
    http: Any
    http, other, scenario, metric = Plan.parse(PLAN).checks
    assert validator.is_valid(PLAN)
    assert http.headers == {"x-sent": "1"}
    assert http.query == {"x-sent": "1", "$schema": "2"}
    assert http.expect.asserts[1].equals == {"x-kept": 1}
    assert http.at(5).timeout_seconds == 20
    assert other.model_dump()["json_value"] == {"$schema": "kept", "x-kept": 1}
    assert scenario.variables == {"a": "1"}  # type: ignore[attr-defined]
    assert metric.queries["errors"].dimensions == {"x-kept": "1"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["X-owner", "x_owner", "schema", "$Schema", "$schema2", "$id", " x-a"])
def test_other_unknown_fields_are_refused(validator: jsonschema.Draft202012Validator, name: str) -> None:
    for wrong in ({name: 1}, {"checks": [{"type": "http", "expect": {name: 1}}]}):
        assert not validator.is_valid(wrong)
        assert f"{name}: unknown field" in problems(wrong)[0]


def test_an_object_without_its_tag_has_no_error_about_annotations() -> None:
    wrong = {"checks": [{"type": "http", "expect": {"asserts": [{"x-owner": "a", "equals": 1}]}}]}
    assert problems(wrong) == ["hookDetails.checks[0].expect.asserts[0].query: is required"]


def every_model() -> list[type[BaseModel]]:
    return [Policies, *_models(*(check_class(kind) for kind in CHECKS))]


@pytest.mark.parametrize("model", every_model(), ids=lambda each: each.__name__)
def test_every_object_of_a_plan_has_the_same_base(model: type[BaseModel]) -> None:
    assert issubclass(model, PlanModel)


def numbers(schema: Any, kind: str) -> Iterator[str]:
    """Yield the names of the properties that are numbers of this kind, or null."""
    for name, field in schema.get("properties", {}).items():
        types = {each.get("type") for each in field.get("anyOf", [field])}
        if types in ({kind}, {kind, "null"}):
            yield name


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_strings_and_booleans_are_no_numbers(kind: str) -> None:
    for type_ in CHECKS:
        schema = check_class(type_).model_json_schema()
        for name in numbers(schema, kind):
            for wrong, shown in (("5", "string"), (True, "boolean")):
                found = problems({"checks": [{"type": type_, name: wrong}]})
                word = "a whole number" if kind == "integer" else "a number"
                assert f"hookDetails.checks[0].{name}: must be {word}, not {shown}" in found


def test_numbers_without_a_fraction_are_whole_numbers() -> None:
    for type_ in CHECKS:
        for name in numbers(check_class(type_).model_json_schema(), "integer"):
            whole = f"hookDetails.checks[0].{name}: must be a whole number"
            plan: Any = {"checks": [{"type": type_, name: 60.0}]}
            try:
                assert type(getattr(Plan.parse(plan).checks[0], name)) is int
            except PlanError as error:
                assert not [each for each in error.problems if each.startswith(whole)]
            assert f"{whole}, not 60.5" in problems({"checks": [{"type": type_, name: 60.5}]})
    assert type(Plan.parse({"error_limit": 3.0}).policies.error_limit) is int


@pytest.mark.parametrize("status", [200.0, [200.0, "3xx"]])
def test_a_status_is_a_whole_number(status: Any) -> None:
    (check,) = Plan.parse({"checks": [{"type": "http", "expect": {"status": status}}]}).checks
    assert str(check.expect.status) == str(status).replace(".0", "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [200.5, -200.0, True, [200, 200.5]])
def test_other_numbers_are_no_status(status: Any) -> None:
    (problem,) = problems({"checks": [{"type": "http", "expect": {"status": status}}]})
    assert problem.startswith("hookDetails.checks[0].expect.status: must be a status code such as 200")


@pytest.mark.parametrize("kind", CHECKS)
def test_a_check_requires_its_type_in_the_schema_as_in_validate(
    validator: jsonschema.Draft202012Validator, kind: str
) -> None:
    examples: dict[str, Any] = {"http": {"path": "/"}, "tcp": {"port": 80}}
    fields = examples.get(kind, {})
    wrong = {"checks": [fields]}
    assert not validator.is_valid(wrong)
    assert problems(wrong)[0].startswith("hookDetails.checks[0].type: is required")


@pytest.mark.parametrize("status", [math.nan, math.inf])
def test_a_status_is_finite(status: float) -> None:
    assert problems({"checks": [{"type": "http", "expect": {"status": status}}]})
