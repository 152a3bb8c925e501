from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_hooks.assertions.json_schema import check_schema, violation

DRAFTS = {
    "3": "http://json-schema.org/draft-03/schema#",
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019": "https://json-schema.org/draft/2019-09/schema",
    "2020": "https://json-schema.org/draft/2020-12/schema",
}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"requred": ["a"]}, "$.requred: is not a keyword of this draft of JSON Schema; did you mean 'required'?"),
        ({"properties": {"a": {"minimun": 1}}}, "$.properties.a.minimun: is not a keyword"),
        ({"items": {"maxlength": 1}}, "$.items.maxlength: is not a keyword"),
        ({"prefixItems": [{}, {"typ": "string"}]}, "$.prefixItems[1].typ: is not a keyword"),
        ({"anyOf": [{"allOf": [{"not": {"patern": "a"}}]}]}, "$.anyOf[0].allOf[0].not.patern: is not a keyword"),
        ({"if": {"then": {"formt": "date"}}}, "$.if.then.formt: is not a keyword"),
        ({"$defs": {"a": {"additionalproperties": False}}}, "$.$defs.a.additionalproperties: is not a keyword"),
        ({"definitions": {"a": {"nullable": True}}}, "$.definitions.a.nullable: is not a keyword"),
        ({"dependentSchemas": {"a": {"minSize": 1}}}, "$.dependentSchemas.a.minSize: is not a keyword"),
        ({"patternProperties": {"a": {"minSize": 1}}}, "$.patternProperties.a.minSize: is not a keyword"),
        ({"additionalProperties": {"minSize": 1}}, "$.additionalProperties.minSize: is not a keyword"),
        ({"unevaluatedItems": {"minSize": 1}}, "$.unevaluatedItems.minSize: is not a keyword"),
        ({"contains": {"minSize": 1}}, "$.contains.minSize: is not a keyword"),
        ({"propertyNames": {"minSize": 1}}, "$.propertyNames.minSize: is not a keyword"),
        # Rules of other drafts, which this one ignores.
        ({"additionalItems": False}, "$.additionalItems: is not a keyword"),
        ({"dependencies": {"a": ["b"]}}, "$.dependencies: is not a keyword"),
        ({"$recursiveRef": "#"}, "$.$recursiveRef: is not a keyword"),
        ({"$schema": DRAFTS["7"], "dependentRequired": {}}, "$.dependentRequired: is not a keyword"),
        ({"$schema": DRAFTS["7"], "contains": {}, "minContains": 2}, "$.minContains: is not a keyword"),
        ({"$schema": DRAFTS["4"], "const": 1}, "$.const: is not a keyword"),
        ({"$schema": DRAFTS["3"], "extends": [{"oneOf": []}]}, "$.extends[0].oneOf: is not a keyword"),
        (
            {"$schema": DRAFTS["7"], "$ref": "#/definitions/a", "type": "string", "definitions": {"a": {}}},
            "$.type: is ignored",
        ),
        ({"$schema": "http://json-schema.org/draft-7/schema#"}, "$.$schema: is not a known draft"),
        ({"items": {"$schema": DRAFTS["4"]}}, "$.items.$schema: differs from the draft of the whole schema"),
        ({"properties": {"a": {"items": {"typ": 1}}, "a.items": {}}}, "$.properties.a.items.typ: is not a keyword"),
        (
            {"$schema": DRAFTS["7"], "items": {"$defs": {"a": {"format": ["x"]}}}},
            "$.items.$defs.a.format: must be of type string",
        ),
        ({"$schema": DRAFTS["7"], "$defs": {"a": 5}}, "$.$defs.a: must be of type object or boolean"),
        # Rules that have no effect without another one.
        ({"items": {"then": {"required": ["a"]}}}, "$.items.then: is ignored without if"),
        ({"else": {}}, "$.else: is ignored without if"),
        ({"minContains": 2}, "$.minContains: is ignored without contains"),
        ({"$schema": DRAFTS["2019"], "maxContains": 2}, "$.maxContains: is ignored without contains"),
        ({"$schema": DRAFTS["3"], "type": "strng"}, "$.type: 'strng' is not a type; did you mean 'string'?"),
        ({"$schema": DRAFTS["3"], "disallow": ["any", "x"]}, "$.disallow: 'x' is not a type; known: any, array"),
        ({"$schema": DRAFTS["3"], "extends": {}}, "$.extends: must be an array of schemas"),
        # References.
        ({"$ref": "#/$defs/a"}, "$.$ref: '#/$defs/a' is not in the schema"),
        ({"$ref": "#a", "$defs": {"a": {"$anchor": "b"}}}, "$.$ref: '#a' is not in the schema"),
        ({"$ref": "#/const", "const": {"minSize": 1}}, "$.$ref: '#/const' is not a schema"),
        ({"items": {"$ref": "#/$defs"}, "$defs": {}}, "$.items.$ref: '#/$defs' is not a schema"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$id": "http://x/a", "$ref": "#/$defs/b"}, "b": {}}},
            "$.$defs.a.$ref: '#/$defs/b' is not in the schema",
        ),
        ({"contentEncoding": "base64"}, "$.contentEncoding: is not checked; remove it"),
        (
            {"$schema": DRAFTS["7"], "items": {"contentMediaType": "application/json"}},
            "$.items.contentMediaType: is not checked",
        ),
        # Formats.
        ({"format": "datetime"}, "$.format: 'datetime' cannot be checked; did you mean 'date-time'?"),
        ({"properties": {"a": {"format": "iri"}}}, "$.properties.a.format: 'iri' cannot be checked"),
        ({"format": "idn-hostname"}, "$.format: 'idn-hostname' cannot be checked"),
        ({"format": "password"}, "$.format: 'password' cannot be checked"),
    ],
)
def test_what_would_not_be_checked_is_refused(schema: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"requred": {}, "format": {"type": "string"}, "$ref": {"type": "string"}}},
        {"const": {"requred": 1, "$ref": "http://x/y"}},
        {"enum": [{"requred": 1, "format": "datetime"}]},
        {"const": {"patternProperties": {"(": 1}}},
        {"$schema": DRAFTS["7"], "$ref": "#/$defs/a", "$defs": {"a": {"$defs": {"b": True}}}},
        {"default": {"requred": 1}, "examples": [{"$ref": "http://x/y"}]},
        {"x-note": {"requred": 1}, "$comment": "a", "title": "a", "description": "a", "deprecated": True},
        {
            "$id": "http://x/y",
            "$defs": {"a": {"$id": "a", "$anchor": "here", "$ref": "#here2", "items": {"$anchor": "here2"}}},
        },
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": True}},
        {"$ref": "#/properties/a/items", "properties": {"a": {"items": {"type": "string"}}}},
        {"$dynamicRef": "#node", "$defs": {"a": {"$dynamicAnchor": "node"}}},
        {"if": {}, "then": {}, "else": {}, "contains": {}, "minContains": 1, "maxContains": 2},
        {"$schema": DRAFTS["2019"], "$recursiveAnchor": True, "items": {"$recursiveRef": "#"}},
        {
            "$schema": DRAFTS["7"],
            "$ref": "#/definitions/a",
            "description": "a",
            "definitions": {"a": {"format": "date"}},
        },
        {
            "$schema": DRAFTS["7"],
            "if": {},
            "then": {},
            "else": {},
            "additionalItems": False,
            "dependencies": {"a": ["b"]},
        },
        {"$schema": DRAFTS["6"], "$id": "http://x/y", "examples": [], "const": 1, "propertyNames": {}},
        {"$schema": DRAFTS["4"], "id": "http://x/y", "minimum": 1, "exclusiveMinimum": True},
        {
            "$schema": DRAFTS["3"],
            "properties": {"a": {"required": True, "divisibleBy": 2}},
            "type": [{"disallow": "any"}],
        },
    ],
)
def test_valid_schemas_are_accepted(schema: dict[str, Any]) -> None:
    assert check_schema(schema) == schema


@pytest.mark.parametrize("name", DRAFTS)
def test_every_draft_checks_formats(name: str) -> None:
    schema = {"$schema": DRAFTS[name], "properties": {"at": {"format": "date-time"}}}
    check_schema(schema)

    assert violation(schema, {"at": "2026-12-01T03:00:00Z"}) is None
    assert violation(schema, {"at": "2026-12-01"}) == '$.at violates format: "date-time"'


def test_a_boolean_is_a_schema() -> None:
    assert check_schema({"items": True, "not": False}) == {"items": True, "not": False}


KEYWORDS = [
    *(
        "$ref",
        "$dynamicRef",
        "$id",
        "$schema",
        "$anchor",
        "$defs",
        "definitions",
        "properties",
        "patternProperties",
        "items",
    ),
    *(
        "prefixItems",
        "allOf",
        "anyOf",
        "not",
        "if",
        "format",
        "type",
        "enum",
        "const",
        "required",
        "pattern",
        "minimum",
        "multipleOf",
    ),
    *(
        "dependencies",
        "dependentSchemas",
        "unevaluatedProperties",
        "additionalProperties",
        "uniqueItems",
        "contains",
        "a",
    ),
]
LEAVES = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1e308,
        "",
        "#",
        "#/a",
        "#/$defs/a",
        "#a",
        "http://[",
        "string",
        "date",
        "(",
        "a",
        *DRAFTS.values(),
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYWORDS), SCHEMAS, max_size=4), SCHEMAS)
def test_every_schema_is_valid_or_refused(schema: dict[str, Any], value: Any) -> None:
    try:
        check_schema(schema)
    except ValueError:
        return
    assert isinstance(violation(schema, value), str | None)
