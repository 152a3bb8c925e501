from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from ecs_hooks.assertions.json_schema import _brief, _left, _validator, check_schema, violation
from ecs_hooks.core.deadline import Deadline, DeadlinePassedError, limited_by

ORDER = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"$ref": "#/$defs/id"}, "tags": {"items": {"pattern": "^[a-z]+$"}}},
    "patternProperties": {"^x-": {"type": "string"}},
    "$defs": {"id": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
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
def test_a_violation_has_a_path_and_a_rule_but_no_value(value: Any, expected: str | None) -> None:
    check_schema(ORDER)

    assert violation(ORDER, value) == expected


def test_the_schema_names_its_draft() -> None:
    draft = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": True}

    assert violation(draft, 3) == "$ violates minimum: 3"
    assert violation({"exclusiveMinimum": 3}, 3) == "$ violates exclusiveMinimum: 3"


def test_a_type_of_draft_3_can_be_a_schema() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-03/schema#",
        "type": ["null", {"properties": {"a": {"type": "string"}}}],
    }
    check_schema(schema)
    assert violation(schema, {"a": "b"}) is None
    assert (violation(schema, {"a": 1}) or "").startswith("$ violates type: ")


def test_patterns_take_linear_time() -> None:
    assert violation({"pattern": "(.*a){25}$"}, "a" * 5000 + "!") is not None


def test_patterns_apply_to_strings_and_objects_only() -> None:
    assert violation({"pattern": "a", "patternProperties": {"a": False}, "additionalProperties": False}, 5) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, "é": 1, "b2": "b"}, None),
        ({"a": 1, "b2": 1}, '$.b2 violates type: "string"'),
    ],
)
def test_all_keywords_have_the_same_patterns(value: Any, expected: str | None) -> None:
    letters = {"properties": {"a": True}, "patternProperties": {r"^\p{L}$": True}}
    schema = {**letters, "additionalProperties": {"type": "string"}}
    check_schema(schema)

    assert violation(schema, value) == expected
    assert violation({**letters, "additionalProperties": False}, value) == "$ violates additionalProperties: false"


def test_patterns_for_names_take_linear_time() -> None:
    schema = {"patternProperties": {"(.*a){25}$": True}, "additionalProperties": False}

    assert violation(schema, {"a" * 5000 + "!": 1}) == "$ violates additionalProperties: false"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "nonsense"}, r"is not a valid JSON Schema: \$.type"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {}, "b": {"type": 1}}},
            r"is not a valid JSON Schema: \$.\$defs.b.type: breaks the rule anyOf of JSON Schema",
        ),
        (
            {"$defs": {"a": {}}, "items": 1},
            r"is not a valid JSON Schema: \$.items: must be of type object or boolean, not number",
        ),
        ({"$defs": []}, r"is not a valid JSON Schema: \$\['\$defs'\]: must be of type object, not array"),
        (
            {"$defs": {"a": 5}},
            r"is not a valid JSON Schema: \$.\$defs.a: must be of type object or boolean, not number",
        ),
        ({"allOf": [{"$ref": "https://169.254.169.254/x"}]}, "only references within the schema"),
        ({"$ref": "other.json"}, r"has a \$ref to another document"),
        ({"$id": "http://x/y", "$ref": "http://x/y"}, r"has a \$ref to another document"),
        ({"$dynamicRef": "https://169.254.169.254/x"}, r"has a \$ref to another document"),
        ({"minLength": -1}, r"\$.minLength: breaks the rule minimum 0 of JSON Schema"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "required": []}, "breaks the rule minItems 1"),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#", "items": {"type": "hunter2"}},
            "breaks the rule anyOf of JSON Schema$",
        ),
        ({"properties": {"a": "hunter2"}}, r"\$.properties.a: must be of type object or boolean, not string$"),
        ({"properties": {"a": {"pattern": "["}}}, r"is not a valid JSON Schema: \$.properties.a.pattern"),
        ({"patternProperties": {"(": {}}}, r"is not a valid JSON Schema: \$.patternProperties"),
        (
            {"not": {"patternProperties": {"a": {}}, "unevaluatedProperties": False}},
            "write additionalProperties instead",
        ),
    ],
)
def test_invalid_schemas_are_refused(schema: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        check_schema(schema)


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"not": schema}

    with pytest.raises(ValueError, match="is not a valid JSON Schema"):
        check_schema(schema)


def test_unresolvable_and_circular_references_are_violations() -> None:
    assert violation({"$ref": "#/$defs/none"}, 1) == "$: a $ref of the schema cannot be resolved"
    assert violation({"$ref": "#"}, 1) == "$: nested too deeply"


def test_long_rules_are_cut() -> None:
    assert len(violation({"enum": ["a" * 50, "b" * 50]}, "c") or "") < 130


def _nested(levels: int, keyword: str) -> dict[str, Any]:
    """Return a schema whose alternatives double with each level."""
    names = [f"a{number}" for number in range(levels)]
    definitions: dict[str, Any] = {
        name: {keyword: [{"$ref": f"#/$defs/{below}"}] * 2} for name, below in pairwise([*names, "last"])
    }
    return {"$ref": "#/$defs/a0", "$defs": {**definitions, "last": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (_nested(40, "anyOf"), 1),
        (_nested(40, "oneOf"), 1),
        (_nested(40, "allOf"), "a"),
        ({"uniqueItems": True}, [{"a": number} for number in range(6000)]),
        ({"uniqueItems": True}, [[[number]] for number in range(6000)]),
        ({"const": [[1]] * 3000}, [[1]] * 3000),
        ({"items": {"enum": list(range(1000))}}, [5000] * 100),
        ({"prefixItems": [True], "unevaluatedItems": {"type": "string"}}, ["a"] * 2000),
        ({"unevaluatedProperties": {"type": "string"}}, {str(number): "a" for number in range(2000)}),
        ({"contains": {"const": "b"}}, ["a"] * 6000),
        ({"propertyNames": {"pattern": "a"}}, {f"a{number}": 1 for number in range(6000)}),
    ],
)
def test_an_expensive_validation_ends_with_a_violation(
    schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecs_hooks.assertions.json_schema.MAX_STEPS", 10_000)
    check_schema(schema)

    assert violation(schema, value) == (
        "$: validation requires more than 10,000 steps; simplify the schema, or check a part of the document"
    )


def test_a_schema_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_hooks.assertions.json_schema.MAX_STEPS", 1000)

    with pytest.raises(ValueError, match=r"is not a valid JSON Schema: .*: validation requires more than 1,000 steps"):
        check_schema({"properties": {f"name-{number}": {"minimum": 1} for number in range(200)}})


def test_a_validation_ends_at_the_deadline() -> None:
    with limited_by(Deadline.after(-1)), pytest.raises(DeadlinePassedError):
        violation({"type": "string"}, "a")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, True, "1", None, [1], {"a": 1}], None),
        ([1, 1.0], "$ violates uniqueItems: true"),
        ([{"a": 1, "b": [2.5]}, {"b": [2.5], "a": 1.0}], "$ violates uniqueItems: true"),
        ([["a", "b"], ["a,b"], ['a","b']], None),
        ("aa", None),
    ],
)
def test_equal_items_are_found_by_their_value(values: Any, expected: str | None) -> None:
    assert violation({"uniqueItems": True}, values) == expected
    assert violation({"uniqueItems": False}, values) is None


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"const": {"a": [1]}}, {"a": [1.0]}, None),
        ({"const": {"a": [1]}}, {"a": [True]}, '$ violates const: {"a": [1]}'),
        ({"const": [1]}, {"a": 1}, "$ violates const: [1]"),
        ({"enum": [1, [2]]}, [2], None),
        ({"enum": [1, [2]]}, True, "$ violates enum: [1, [2]]"),
        ({"oneOf": [{"minimum": 1}, {"minimum": 5}, {"type": "string"}]}, 2, None),
        ({"oneOf": [{"minimum": 1}, {"minimum": 5}]}, 6, '$ violates oneOf: [{"minimum": 1}, {"minimum": 5}]'),
        ({"oneOf": [{"type": "string"}, {"properties": {"a": {"minimum": 5}}}]}, {"a": 1}, "$.a violates minimum: 5"),
        ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, 5, None),
    ],
)
def test_values_and_alternatives(schema: dict[str, Any], value: Any, expected: str | None) -> None:
    assert violation(schema, value) == expected


def test_few_violations_of_alternatives_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_hooks.assertions.json_schema._MAX_KEPT", 15)
    schema = {"anyOf": [{"items": {"type": "string"}}] * 3}

    assert violation(schema, [1] * 100) is not None


def test_no_message_repeats_a_large_value() -> None:
    schema = {"anyOf": [{"type": "number"}, False, {"const": 1}, {"enum": [1]}, {"not": True}]}
    _left.begin()
    for value in ("a" * 1000, ["a" * 1000] * 2, {"a": "a" * 1000, "b": 1}):
        kept = list(_validator(json.dumps(schema)).iter_errors(_brief(value)))
        messages = [error.message for each in kept for error in [each, *(each.context or ())]]
        assert messages
        assert max(map(len, messages)) < 100


def test_a_part_with_a_draft_of_its_own_has_the_same_patterns_and_limits() -> None:
    draft = "https://json-schema.org/draft/2020-12/schema"
    slow = {"$schema": draft, "type": "string", "pattern": "(.*a){25}$"}
    check_schema(slow)
    check_schema({"properties": {"a": slow}})

    assert violation({"properties": {"a": slow}}, {"a": "a" * 5000 + "!"}) == '$.a violates pattern: "(.*a){25}$"'
    around = {"$schema": draft, "anyOf": [{"type": "array", "items": {"$ref": "#"}}, slow]}
    assert violation(around, ["a" * 5000 + "!"]) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "a(?=b)"},
        {"patternProperties": {"a(?=b)": True}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "patternProperties": {"a(?=b)": {}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "patternProperties": {"a(?=b)": {}}},
    ],
)
def test_patterns_that_re2_lacks_are_refused_with_the_reason(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"attern.*: look-ahead \(\?=\.\.\.\) is not supported; write"):
        check_schema(schema)


def test_an_invalid_pattern_outside_of_keywords_is_a_violation() -> None:
    schema = {"$ref": "#/elsewhere", "elsewhere": {"pattern": "a(?=b)"}}
    with pytest.raises(ValueError, match=r"\$.elsewhere: is not a keyword"):
        check_schema(schema)

    assert (violation(schema, "ab") or "").startswith("$: a pattern of the schema is not valid: look-ahead")


def test_a_number_that_is_too_large_to_divide_is_a_violation() -> None:
    assert violation({"multipleOf": 0.1}, float("inf")) == "$: a number is too large for multipleOf"
