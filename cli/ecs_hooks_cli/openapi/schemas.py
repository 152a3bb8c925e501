"""Schemas of an OpenAPI document as JSON Schemas that stand alone, as checks take them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.assertions.patterns import pattern_problem
from ecs_hooks_cli.openapi.references import target, tokens

if TYPE_CHECKING:
    from ecs_hooks_cli.openapi.document import Document

# What JSON Schema asserts. Everything else is for people and programs that write code: title, example, xml, format, ...
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
_DIALECTS = ("https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/")


class UnsupportedSchemaError(ValueError):
    """A schema has something that can't be carried into a plan."""


class StandAlone:
    """Makes one JSON Schema from schemas of a document, with all that they refer to below `$defs`.

    Parameters
    ----------
    document
        The document.

    Attributes
    ----------
    notes
        What was left out.
    """

    def __init__(self, document: Document) -> None:
        self.notes: list[str] = []
        self._document = document
        self._old = document.version == "3.0"
        self._names: dict[str, str] = {}
        self._waiting: list[str] = []

    def schema(self, alternatives: Sequence[Any]) -> dict[str, Any]:
        """Return the JSON Schema that a value has to fit which may be of any of these schemas.

        Raises
        ------
        UnsupportedSchemaError
            If there is something in them that it could not say.
        """
        try:
            translated = [self._translated(each) for each in alternatives]
            definitions: dict[str, Any] = {}
            while self._waiting:
                reference = self._waiting.pop()
                definitions[self._names[reference]] = self._translated(target(self._document.root, reference))
        except (AttributeError, TypeError):
            # The validator examines no schema that stands where OpenAPI knows of none.
            message = "what a $ref leads to is no schema"
            raise UnsupportedSchemaError(message) from None
        whole = translated[0] if len(translated) == 1 else {"anyOf": translated}
        whole = {} if whole is True else {"not": {}} if whole is False else whole
        return {**whole, "$defs": definitions} if definitions else whole

    def _translated(self, schema: Any) -> Any:
        if isinstance(schema, bool):
            return schema
        self._refuse_unknown(schema)
        reference = schema.get("$ref")
        if reference is not None and self._old:
            return {"$ref": self._here(reference)}  # what stands beside it does not count in 3.0
        made: dict[str, Any] = {} if reference is None else {"$ref": self._here(reference)}
        made |= {name: schema[name] for name in _VALUES if name in schema}
        made |= {name: self._translated(schema[name]) for name in _SCHEMAS if name in schema}
        made |= {name: [self._translated(each) for each in schema[name]] for name in _LISTS if name in schema}
        for name in _MAPS:
            if name in schema:
                made[name] = {key: self._translated(each) for key, each in schema[name].items()}
        if "discriminator" in schema and "oneOf" in made and "anyOf" not in made:
            # It tells which of them is meant, where more than one would fit.
            made["anyOf"] = made.pop("oneOf")
        self._leave_out_unreadable(made)
        self._leave_out_what_is_only_written(schema, made)
        return self._as_of_3_0(schema, made) if self._old else made

    def _refuse_unknown(self, schema: Mapping[str, Any]) -> None:
        unknown = next((name for name in _UNKNOWN if name in schema), None)
        dialect = schema.get("$schema", self._document.root.get("jsonSchemaDialect", _DIALECTS[0]))
        if unknown is None and not str(dialect).startswith(_DIALECTS):
            unknown = "another dialect of JSON Schema than that of OpenAPI 3.1"
        if unknown is not None:
            message = f"{unknown} is not supported"
            raise UnsupportedSchemaError(message)

    def _here(self, reference: str) -> str:
        """Return a reference to what will be below `$defs`."""
        if not reference.startswith("#/"):
            message = f"$ref {reference[:80]!r}: only references of the form #/... are supported"
            raise UnsupportedSchemaError(message)
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

    def _leave_out_what_is_only_written(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Require no property that only requests have, such as a password."""
        properties = schema.get("properties", {})
        required = [name for name in made.pop("required", ()) if not self._is_only_written(properties.get(name))]
        if required:
            made["required"] = required

    def _is_only_written(self, schema: Any) -> bool:
        resolved = self._document.resolved(schema)
        return isinstance(resolved, Mapping) and resolved.get("writeOnly") is True

    def _as_of_3_0(self, schema: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        for name, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if made.pop(name, False) is True and limit in made:
                made[name] = made.pop(limit)
        if schema.get("nullable") is not True:
            return made
        if "enum" in made:
            made["enum"] = [*(each for each in made["enum"] if each is not None), None]
        if "type" in made:
            made["type"] = [made["type"], "null"]
        if any(name in made for name in ("allOf", "anyOf", "oneOf", "not")):
            return {"anyOf": [{"type": "null"}, made]}
        return made
