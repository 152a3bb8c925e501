from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.assertions.json_schema import check_schema, violation

ORDER = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"$ref": "#/$defs/id"}, "tags": {"items": {"pattern": "^[a-z]+$"}}},
    "patternProperties": {"^x-": {"type": "string"}},
    "$defs": {"id": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"id": 1}, None),
        ({}, '$ violates required: ["id"]'),
        ({"id": "1"}, '$.id violates type: "integer"'),
        ({"id": 1, "tags": ["a", "B"]}, '$.tags[1] violates pattern: "^[a-z]+$"'),
        ({"id": 1, "x-a": 1}, "$['x-a'] violates type: \"string\""),
        ({"id": 1, "x-a": "1"}, None),
        ([], '$ violates type: "object"'),
    ],
)
def test_the_place_and_the_rule_are_told_and_not_the_value(value: Any, told: str | None) -> None:
    check_schema(ORDER)

    assert violation(ORDER, value) == told


def test_the_draft_is_the_one_that_the_schema_names() -> None:
    draft = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True}

    assert violation(draft, 3) == "$ violates minimum: 3"
    assert violation({"exclusiveMinimum": 3}, 3) == "$ violates exclusiveMinimum: 3"


def test_a_slow_pattern_is_given_up() -> None:
    assert violation({"pattern": "(.*a){25}$"}, "a" * 5000 + "!") is not None


def test_patterns_are_for_texts_and_objects_alone() -> None:
    assert violation({"pattern": "a", "patternProperties": {"a": False}, "additionalProperties": False}, 5) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": 1, "é": 1, "b2": "b"}, None),
        ({"a": 1, "b2": 1}, '$.b2 violates type: "string"'),
    ],
)
def test_all_patterns_are_read_alike(value: Any, told: str | None) -> None:
    letters = {"properties": {"a": True}, "patternProperties": {r"^\p{L}$": True}}
    schema = {**letters, "additionalProperties": {"type": "string"}}
    check_schema(schema)

    assert violation(schema, value) == told
    assert violation({**letters, "additionalProperties": False}, value) == "$ violates additionalProperties: false"


def test_a_slow_pattern_for_names_is_given_up_as_well() -> None:
    schema = {"patternProperties": {"(.*a){25}$": True}, "additionalProperties": False}

    assert violation(schema, {"a" * 5000 + "!": 1}) == "$ violates additionalProperties: false"


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "nonsense"}, r"is no valid JSON Schema: \$.type"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {}, "b": {"type": 1}}},
            r"is no valid JSON Schema: \$.\$defs.b.type 1 is not",
        ),
        ({"$defs": {"a": {}}, "items": 1}, r"is no valid JSON Schema: \$.items 1 is not"),
        ({"$defs": []}, r"is no valid JSON Schema: \$\['\$defs'\] \[\] is not"),
        ({"$defs": {"a": 5}}, r"is no valid JSON Schema: \$.\$defs.a 5 is not"),
        ({"allOf": [{"$ref": "https://169.254.169.254/x"}]}, "only references within the schema"),
        ({"$ref": "other.json"}, "refers to 'other.json'"),
        ({"properties": {"a": {"pattern": "["}}}, r"is no valid JSON Schema: \$.properties.a.pattern"),
        ({"patternProperties": {"(": {}}}, r"is no valid JSON Schema: \$.patternProperties"),
        ({"not": {"patternProperties": {"a": {}}, "unevaluatedProperties": False}}, "say additionalProperties"),
    ],
)
def test_what_is_refused(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_schema(schema)


def test_a_schema_that_is_too_deep() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"not": schema}

    with pytest.raises(ValueError, match="is no valid JSON Schema"):
        check_schema(schema)


def test_what_leads_nowhere_or_round_in_circles_is_a_violation() -> None:
    assert violation({"$ref": "#/$defs/none"}, 1) == "$ a $ref of the schema leads nowhere"
    assert violation({"$ref": "#"}, 1) == "$ nested too deeply"


def test_long_rules_are_cut() -> None:
    assert len(violation({"enum": ["a" * 50, "b" * 50]}, "c") or "") < 130
