"""Schemas of an OpenAPI document as self-contained JSON Schemas, as in a check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecs_hooks.assertions.patterns import pattern_problem
from ecs_hooks.assertions.schema_keywords import ONLY_BESIDE
from ecs_hooks_cli.openapi.document import Document, target, tokens

# Assertions of JSON Schema. All other keywords are for people and generators: title, example, xml, format, ...
_VALUES = (
    *("type", "enum", "const", "required", "dependentRequired", "pattern", "multipleOf", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
    *("minContains", "maxContains", "minProperties", "maxProperties"),
)
_SCHEMAS = (
    *("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas")
_UNKNOWN = ("$dynamicRef", "$id")
_FOR_PEOPLE = (
    # In JSON Schema and in OpenAPI these describe a value; they are no assertions.
    *("format", "contentEncoding", "contentMediaType", "contentSchema"),
    *("title", "description", "default", "example", "examples", "deprecated", "externalDocs", "xml", "$comment"),
    *("readOnly", "writeOnly", "nullable", "discriminator", "$ref", "$defs", "definitions", "$schema", "$anchor"),
)
"""Keywords without an assertion, and those with a note of their own."""
_DIALECTS = ("https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/")


class UnsupportedSchemaError(ValueError):
    """A schema has something that a plan does not support."""


class StandAlone:
    """Makes one JSON Schema from schemas of a document, with the targets of their references below `$defs`.

    `notes` has the omitted parts.
    """

    def __init__(self, document: Document) -> None:
        self.notes: list[str] = []
        self._document = document
        self._old = document.version == "3.0"
        self._names: dict[str, str] = {}
        self._waiting: list[str] = []

    def schema(self, alternatives: Sequence[Any]) -> dict[str, Any]:
        """Return the JSON Schema of a value that matches any of these schemas; what a plan cannot have raises an error."""
        try:
            translated = [self._translated(each) for each in alternatives]
            definitions: dict[str, Any] = {}
            while self._waiting:
                reference = self._waiting.pop()
                definitions[self._names[reference]] = self._translated(target(self._document.root, reference))
        except (AttributeError, TypeError):
            # The validator does not check schemas in places where OpenAPI has none.
            raise UnsupportedSchemaError("the target of a $ref is not a schema") from None
        whole = translated[0] if len(translated) == 1 else {"anyOf": translated}
        whole = {} if whole is True else {"not": {}} if whole is False else whole
        return {**whole, "$defs": definitions} if definitions else whole

    def _translated(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return schema
        self._refuse_unknown(schema)
        reference = schema.get("$ref")
        if reference is not None and self._old:
            self._note(
                [name for name in schema if name not in {"$ref", *_FOR_PEOPLE}], "beside $ref, which 3.0 ignores"
            )
            return {"$ref": self._here(reference)}
        known = {*_VALUES, *_SCHEMAS, *_LISTS, *_MAPS, *_FOR_PEOPLE}
        self._note([name for name in schema if name not in known and not name.startswith("x-")], "not compared")
        made: dict[str, Any] = {} if reference is None else {"$ref": self._here(reference)}
        made |= {name: schema[name] for name in _VALUES if name in schema}
        made |= {name: self._translated(schema[name]) for name in _SCHEMAS if name in schema}
        made |= {name: [self._translated(each) for each in schema[name]] for name in _LISTS if name in schema}
        for name in _MAPS:
            if name in schema:
                made[name] = {key: self._translated(each) for key, each in schema[name].items()}
        if "discriminator" in schema and "oneOf" in made and "anyOf" not in made:
            # A discriminator selects one where several match.
            made["anyOf"] = made.pop("oneOf")
            self._note(["oneOf"], "compared as anyOf, because of its discriminator")
        self._leave_out_unreadable(made)
        self._leave_out_idle(made)
        self._leave_out_write_only(schema, made)
        if self._old:
            self._limits_of_3_0(made)
        elif "nullable" in schema:
            self._note(["nullable"], "not a keyword of 3.1; null is allowed where it is true, as in 3.0")
        return self._with_null(made) if schema.get("nullable") is True else made

    def _note(self, keywords: Sequence[str], what: str) -> None:
        """Note that keywords are left out or read otherwise."""
        if keywords:
            self.notes.append(f"{', '.join(keyword[:40] for keyword in keywords)}: {what}")

    def _refuse_unknown(self, schema: Mapping[str, Any]) -> None:
        unknown = next((name for name in _UNKNOWN if name in schema), None)
        dialect = schema.get("$schema", self._document.root.get("jsonSchemaDialect", _DIALECTS[0]))
        if unknown is None and not str(dialect).startswith(_DIALECTS):
            unknown = "a dialect of JSON Schema other than OpenAPI 3.1's"
        if unknown is not None:
            raise UnsupportedSchemaError(f"{unknown} is not supported")

    def _here(self, reference: str) -> str:
        """Return the reference to a schema below `$defs`."""
        if not reference.startswith("#/"):
            raise UnsupportedSchemaError(f"$ref {reference[:80]!r}: only references of the form #/... are supported")
        if reference not in self._names:
            plain = re.sub(r"[^A-Za-z0-9._-]", "_", tokens(reference)[-1])
            taken, number = set(self._names.values()), 2
            name = plain
            while name in taken:
                name, number = f"{plain}-{number}", number + 1
            self._names[reference] = name
            self._waiting.append(reference)
        return f"#/$defs/{self._names[reference]}"

    def _leave_out_unreadable(self, made: dict[str, Any]) -> None:
        """Leave out the regular expressions that RE2 does not have."""
        affected = {
            "pattern": [made["pattern"]] if "pattern" in made else [],
            # The rules for all other properties depend on them.
            "patternProperties additionalProperties unevaluatedProperties": list(made.get("patternProperties", ())),
        }
        for names, patterns in affected.items():
            problems = {each: problem for each in patterns if (problem := pattern_problem(each))}
            self.notes += [f"the pattern {each[:80]!r} is left out: {problem}" for each, problem in problems.items()]
            for name in names.split() if problems else ():
                made.pop(name, None)

    def _leave_out_idle(self, made: dict[str, Any]) -> None:
        """Leave out keywords that have no effect without another one; a plan with them would be refused."""
        for name, other in ONLY_BESIDE.items():
            if name in made and other not in made:
                del made[name]
                self._note([name], f"without effect, since there is no {other}")

    def _leave_out_write_only(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Require no writeOnly property: responses lack it."""
        properties = schema.get("properties", {})
        required = [name for name in made.pop("required", ()) if not self._is_write_only(properties.get(name))]
        if required:
            made["required"] = required

    def _is_write_only(self, schema: Any) -> bool:
        resolved = self._document.resolved(schema)
        return isinstance(resolved, Mapping) and resolved.get("writeOnly") is True

    def _limits_of_3_0(self, made: dict[str, Any]) -> None:
        for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if made.pop(name, False) is True and limit in made:
                made[name] = made.pop(limit)

    def _with_null(self, made: dict[str, Any]) -> dict[str, Any]:
        if "enum" in made:
            made["enum"] = [*(each for each in made["enum"] if each is not None), None]
        if "type" in made:
            types = [made["type"]] if isinstance(made["type"], str) else made["type"]
            made["type"] = [*types, *([] if "null" in types else ["null"])]
        if any(name in made for name in ("allOf", "anyOf", "oneOf", "not", "const", "$ref", "if")):
            return {"anyOf": [{"type": "null"}, made]}
        return made
