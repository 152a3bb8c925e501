"""The keywords of a JSON Schema: a misspelt one, which JSON Schema ignores, would be a rule that nothing checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from ecs_hooks.assertions.schema_formats import CHECKED
from ecs_hooks.core.formatting import nearest

DEFAULT = "https://json-schema.org/draft/2020-12/schema"
"""The draft of a schema that does not name its own."""

_ONE = {
    *("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not"),
    *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
}
_SEVERAL = {"allOf", "anyOf", "disallow", "extends", "items", "oneOf", "prefixItems", "type"}
_NAMED = {
    *("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"),
}
"""Keywords whose value is a schema, an array of schemas, an object of schemas."""
_WITHOUT_RULE = {
    *("$comment", "$defs", "$schema", "default", "definitions", "deprecated"),
    *("description", "examples", "readOnly", "title", "writeOnly"),
}
_SINCE_2019 = {"$anchor", "$id", "$vocabulary", "else", "maxContains", "minContains", "then"}
_BY_DRAFT = {"$recursiveRef": {"$recursiveAnchor"}, "$dynamicRef": {"$dynamicAnchor"}}
_OF_OLD_DRAFTS = {"dependencies", "$recursiveRef", "$recursiveAnchor"}
"""Keywords in the meta-schemas of newer drafts, which ignore them."""
_CONTENT = {"contentEncoding", "contentMediaType", "contentSchema"}
"""Rules for what a string contains, which no validator checks."""
ONLY_BESIDE = {"then": "if", "else": "if", "minContains": "contains", "maxContains": "contains"}
"""Keywords that have no effect without another one."""
_TYPES = ("any", "array", "boolean", "integer", "null", "number", "object", "string")
"""The types of draft 3; the meta-schemas of the others have theirs."""
_REFERENCES = ("$ref", "$dynamicRef")


def references(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the references in a JSON Schema."""
    for _, part in parts_of(schema):
        yield from (part[name] for name in _REFERENCES if isinstance(part.get(name), str))


@lru_cache(maxsize=1000)
def structure_problem(schema: str) -> str:
    """Return why a valid JSON Schema of a known draft has a part that would not be checked, with its place; empty if it has none."""
    loaded = json.loads(schema)
    base = draft_of(loaded)
    parts = list(parts_of(loaded))
    known = _known(base)
    problems_of: list[Callable[[Mapping[str, Any]], str]] = [
        partial(_keyword_problem, base=base, known=known),
        _idle_problem,
    ]
    for find_problem in [*problems_of, _draft3_problem] if "extends" in known else problems_of:
        for path, part in parts:
            problem = find_problem(part)
            if problem:
                return f"{path}{problem}"
    return _reference_problem(loaded, parts)


def draft_of(schema: Any) -> Any:
    """Return the validator of the draft that a schema names, by default of the newest one; None if it is unknown."""
    named = schema.get("$schema", DEFAULT) if isinstance(schema, Mapping) else DEFAULT
    unknown: Any = None
    return validator_for({"$schema": named}, default=unknown) if isinstance(named, str) else None


def parts_of(schema: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each schema in a schema, itself included, with its path. Values such as those of `const` are none."""
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for name, value in schema.items():
        if name in _ONE:
            yield from parts_of(value, f"{path}.{name}")
        if name in _SEVERAL and isinstance(value, list):
            for index, each in enumerate(value):
                yield from parts_of(each, f"{path}.{name}[{index}]")
        if name in _NAMED and isinstance(value, Mapping):
            for key, each in value.items():
                yield from parts_of(each, f"{path}.{name}.{key}")


@lru_cache(maxsize=8)
def _known(base: Any) -> set[str]:
    """Return the keywords of a draft that are checked, or that have no rule."""
    rules = set(base.VALIDATORS)
    since_2019 = _SINCE_2019 if "dependentRequired" in rules else set()
    of_draft = set().union(*(names for rule, names in _BY_DRAFT.items() if rule in rules))
    old = set(base.META_SCHEMA.get("properties", {})) - _CONTENT - (_OF_OLD_DRAFTS if since_2019 else set())
    return rules | _WITHOUT_RULE | since_2019 | of_draft | old


def _keyword_problem(schema: Mapping[str, Any], base: Any, known: set[str]) -> str:
    for name in schema:
        if name in _CONTENT:
            return f".{name}: is not checked; remove it"
        if name not in known and not name.startswith("x-"):
            return f".{name[:80]}: is not a keyword of this draft of JSON Schema{nearest(name, sorted(known))}"
    if "$schema" in schema and draft_of(schema) is not base:
        return ".$schema: differs from the draft of the whole schema"
    if "format" in schema and schema["format"] not in CHECKED:
        return f".format: {str(schema['format'])[:80]!r} cannot be checked{nearest(schema['format'], CHECKED)}"
    ignored = sorted(set(schema) & set(base.VALIDATORS) - {"$ref"})
    if "$ref" in schema and ignored and "dependentRequired" not in base.VALIDATORS:
        return f".{ignored[0]}: is ignored beside $ref in this draft of JSON Schema; write both into allOf"
    return ""


def _idle_problem(schema: Mapping[str, Any]) -> str:
    lone = next((name for name, other in ONLY_BESIDE.items() if name in schema and other not in schema), None)
    return f".{lone}: is ignored without {ONLY_BESIDE[lone]}" if lone else ""


def _draft3_problem(schema: Mapping[str, Any]) -> str:
    """Return what the meta-schema of draft 3 accepts, but a validation cannot evaluate."""
    if isinstance(schema.get("extends"), Mapping):
        return ".extends: must be an array of schemas"
    for name in ("type", "disallow"):
        rule = schema.get(name, [])
        for each in rule if isinstance(rule, list) else [rule]:
            if isinstance(each, str) and each not in _TYPES:
                return f".{name}: {each[:80]!r} is not a type{nearest(each, _TYPES)}"
    return ""


def _reference_problem(whole: Mapping[str, Any], parts: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the first reference that does not refer to a schema within the whole one; empty if there is none."""
    specification = specification_with(str(whole.get("$schema", "")), default=DRAFT202012)
    resource = specification.create_resource(whole)
    root = Registry().with_resource(resource.id() or "", resource).crawl().resolver_with_root(resource)
    known = {id(part) for _, part in parts}
    resolvers = {id(whole): root}
    for path, part in parts:
        resolver = resolvers[id(part)].in_subresource(specification.create_resource(part)) if path else root
        resolvers |= {id(each): resolver for _, each in _children(part)}
        for name in _REFERENCES:
            reference = part.get(name)
            if reference is None:
                continue
            try:
                target = resolver.lookup(reference).contents
            except (Unresolvable, ValueError):  # or an invalid URI
                return f"{path}.{name}: {reference[:80]!r} is not in the schema"
            if not isinstance(target, bool) and id(target) not in known:
                return f"{path}.{name}: {reference[:80]!r} is not a schema"
    return ""


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in schema.keys() & (_ONE | _SEVERAL | _NAMED):
        value = schema[name]
        inner = value if isinstance(value, list) else [value]
        if name in _NAMED and isinstance(value, Mapping):
            inner = list(value.values())
        yield from ((name, each) for each in inner if isinstance(each, Mapping))
