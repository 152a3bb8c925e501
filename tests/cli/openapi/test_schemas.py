from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, OAS31Validator

from ecs_hooks.assertions.json_schema import check_schema, violation
from ecs_hooks.assertions.patterns import pattern_problem
from ecs_hooks_cli.openapi.document import Document
from ecs_hooks_cli.openapi.schemas import StandAlone, UnsupportedSchemaError


def alone(schema: Any, _version: str = "3.0", **schemas: Any) -> dict[str, Any]:
    return StandAlone(Document({"components": {"schemas": schemas}}, _version)).schema([schema])


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True, "type": "string", "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"nullable": True, "enum": [None, "a"]}, {"enum": ["a", None]}),
        ({"nullable": True, "allOf": [{"minLength": 1}]}, {"anyOf": [{"type": "null"}, {"allOf": [{"minLength": 1}]}]}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}),
        ({"minimum": 1, "exclusiveMinimum": False, "exclusiveMaximum": True}, {"minimum": 1}),
        ({"example": 1, "title": "a", "format": "date", "xml": {}, "x-a": 1, "deprecated": True, "default": 1}, {}),
        ({"discriminator": {"propertyName": "a"}, "oneOf": [{}, {}]}, {"anyOf": [{}, {}]}),
        ({"discriminator": {"propertyName": "a"}, "oneOf": [{}], "anyOf": [{}]}, {"oneOf": [{}], "anyOf": [{}]}),
        ({"not": {"nullable": True, "type": "string"}}, {"not": {"type": ["string", "null"]}}),
    ],
)
def test_keywords_of_3_0_are_translated(schema: Any, made: Any) -> None:
    assert alone(schema) == made


def test_properties_may_have_the_names_of_keywords() -> None:
    schema = {"properties": {"title": {"example": "a"}, "nullable": {"type": "string"}}, "required": ["title"]}

    assert alone(schema) == {"properties": {"title": {}, "nullable": {"type": "string"}}, "required": ["title"]}


def test_write_only_properties_are_not_required() -> None:
    schema = {
        "required": ["a", "b", "c"],
        "properties": {"a": {"writeOnly": True}, "b": {"$ref": "#/components/schemas/B"}},
    }

    assert alone(schema, B={"writeOnly": True})["required"] == ["c"]
    assert "required" not in alone({**schema, "required": ["a"]}, B={})


def test_targets_of_references_are_definitions() -> None:
    node = {
        "properties": {"next": {"$ref": "#/components/schemas/Node"}, "value": {"$ref": "#/components/schemas/a~1B %"}}
    }
    others: dict[str, Any] = {"Node": node, "a/B %": {"type": "integer"}}
    schema = alone({"items": {"$ref": "#/components/schemas/Node"}}, **others)

    assert schema == {
        "items": {"$ref": "#/$defs/Node"},
        "$defs": {
            "Node": {"properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"$ref": "#/$defs/a_B__"}}},
            "a_B__": {"type": "integer"},
        },
    }
    check_schema(schema)
    assert violation(schema, [{"next": {"next": {"value": "x"}}}]) == '$[0].next.next.value violates type: "integer"'


def test_equal_names_are_numbered() -> None:
    inner = {"properties": {"a": {"type": "string"}}}
    schema = alone({"anyOf": [{"$ref": f"#/components/schemas/{at}/properties/a"} for at in "BCB"]}, B=inner, C=inner)

    assert schema["anyOf"] == [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a-2"}, {"$ref": "#/$defs/a"}]


def test_siblings_of_a_reference_count_in_3_1_only() -> None:
    schema = {"$ref": "#/components/schemas/A", "maxLength": 3}

    assert "maxLength" not in alone(schema, A={})
    assert alone(schema, "3.1", A={})["maxLength"] == 3


def test_several_schemas_are_alternatives() -> None:
    made = StandAlone(Document({}, "3.1"))
    assert made.schema([{"type": "string"}, True]) == {"anyOf": [{"type": "string"}, True]}
    assert made.schema([True]) == {}
    assert made.schema([False]) == {"not": {}}


def test_patterns_that_re2_does_not_have_are_left_out() -> None:
    made = StandAlone(Document({}, "3.1"))
    fields = {"pattern": "a(?=b)", "minLength": 1, "properties": {"a": {}}, "additionalProperties": False}

    assert made.schema([{**fields, "patternProperties": {"a": True, "[": False}}]) == {
        "minLength": 1,
        "properties": {"a": {}},
    }
    assert made.notes == [
        f"the pattern 'a(?=b)' is left out: {pattern_problem('a(?=b)')}",
        "the pattern '[' is left out: a [ has no ]; write \\[ for the character itself, or (?s:.) for [^]",
    ]
    assert made.schema([{"patternProperties": {"a": True}}]) == {"patternProperties": {"a": True}}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"items": {"$dynamicRef": "#a"}}, r"\$dynamicRef is not supported"),
        ({"$id": "http://a"}, r"\$id is not supported"),
        ({"$ref": "#anchor"}, "only references of the form"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "a dialect of JSON Schema other than"),
        ({"$ref": "#/components/schemas/A"}, "the target of a .ref is not a schema"),
        ({"$ref": "#/components/schemas/B"}, "the target of a .ref is not a schema"),
    ],
)
def test_an_unsupported_keyword_is_an_error(schema: Any, message: str) -> None:
    with pytest.raises(UnsupportedSchemaError, match=message):
        alone(schema, "3.1", A="text", B={"properties": []})


def test_the_dialect_of_the_whole_document() -> None:
    with pytest.raises(UnsupportedSchemaError, match="a dialect of JSON Schema other than OpenAPI"):
        StandAlone(Document({"jsonSchemaDialect": "http://json-schema.org/draft-07/schema#"}, "3.1")).schema([{}])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "", "a", "ab", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


def schemas(version: str) -> st.SearchStrategy[dict[str, Any]]:
    old = version == "3.0"
    limits = {
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "exclusiveMinimum": st.booleans() if old else st.integers(-2, 2),
        "exclusiveMaximum": st.booleans() if old else st.integers(-2, 2),
    }
    simple = st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "number", "integer", "boolean", "array", "object"])},
        optional={
            **({"nullable": st.booleans()} if old else {"const": VALUES}),
            "minLength": st.integers(0, 2),
            "pattern": st.sampled_from(["^a", "b$"]),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "minProperties": st.integers(0, 2),
            "required": st.just(["a"]),
            "example": VALUES,
            "title": st.just("type"),
            **limits,
        },
    )
    # exclusiveMinimum without minimum has no meaning, and the library raises.
    if old:
        simple = simple.filter(
            lambda each: all(f"exclusive{name}" not in each or name.lower() in each for name in ("Minimum", "Maximum"))
        )
    enums = st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)})

    def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=1, max_size=2)
        return st.fixed_dictionaries(
            {},
            optional={
                "allOf": several,
                "anyOf": several,
                "oneOf": several,
                "not": inner,
                "items": inner,
                "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                "additionalProperties": inner | st.booleans(),
                **({} if old else {"prefixItems": several, "contains": inner, "if": inner, "then": inner}),
            },
        )

    return st.recursive(simple | enums, composed, max_leaves=5)


@given(schemas("3.0"), VALUES)
def test_the_same_values_are_valid_as_in_openapi_3_0(schema: Any, value: Any) -> None:
    made = alone(schema)
    check_schema(made)

    assert (violation(made, value) is None) is OAS30Validator(schema).is_valid(value)


@given(schemas("3.1"), VALUES)
def test_the_same_values_are_valid_as_in_openapi_3_1(schema: Any, value: Any) -> None:
    made = alone(schema, "3.1")
    check_schema(made)

    assert (violation(made, value) is None) is OAS31Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "nullable": True}, None),
        ({"type": ["string", "integer"], "nullable": True}, None),
        ({"type": ["string", "null"], "nullable": True}, None),
        ({"type": "string", "enum": ["a"], "nullable": True}, None),
        ({"$ref": "#/components/schemas/A", "nullable": True}, None),
        ({"const": "a", "nullable": True}, None),
        ({"oneOf": [{"type": "string"}], "nullable": True}, None),
    ],
)
def test_nullable_is_honoured_and_told_in_3_1(schema: dict[str, Any], value: Any) -> None:
    document = Document({"components": {"schemas": {"A": {"type": "string"}}}}, "3.1")
    made = StandAlone(document)
    assert violation(check_schema(made.schema([schema])), value) is None
    assert made.notes == ["nullable: not a keyword of 3.1; null is allowed where it is true, as in 3.0"]
    assert violation(check_schema(StandAlone(document).schema([{**schema, "nullable": False}])), 1.5) is not None


@pytest.mark.parametrize(
    ("version", "schema", "note"),
    [
        ("3.1", {"minLenght": 1, "dependencies": {}}, "minLenght, dependencies: not compared"),
        ("3.0", {"const": 1, "$vocabulary": {}}, "$vocabulary: not compared"),
        (
            "3.0",
            {"$ref": "#/components/schemas/A", "maxLength": 3, "title": "a"},
            "maxLength: beside $ref, which 3.0 ignores",
        ),
        (
            "3.1",
            {"discriminator": {"propertyName": "a"}, "oneOf": [{}]},
            "oneOf: compared as anyOf, because of its discriminator",
        ),
    ],
)
def test_keywords_that_are_left_out_or_read_otherwise_are_told(version: str, schema: dict[str, Any], note: str) -> None:
    made = StandAlone(Document({"components": {"schemas": {"A": {}}}}, version))
    made.schema([schema])
    assert made.notes == [note]


def test_descriptions_are_left_out_without_a_note() -> None:
    made = StandAlone(Document({}, "3.1"))
    assert made.schema([{"title": "a", "format": "date", "x-a": 1, "examples": [1], "contentEncoding": "base64"}]) == {}
    assert made.notes == []


@pytest.mark.parametrize("name", ["then", "else", "minContains", "maxContains"])
def test_a_keyword_without_effect_is_left_out(name: str) -> None:
    made = StandAlone(Document({}, "3.1"))
    idle: Any = 1 if name.endswith("Contains") else {"required": ["a"]}
    assert check_schema(made.schema([{"items": {name: idle, "type": "object"}}])) == {"items": {"type": "object"}}
    (note,) = made.notes
    assert note.startswith(f"{name}: without effect, since there is no ")
