"""The JSON Schema of a plan, for editors and for checks of infrastructure code."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from textwrap import dedent
from typing import Any, Union

from pydantic import BaseModel, Field, create_model

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.core.plan_model import ANNOTATIONS, members_of
from ecs_hooks.core.validation_errors import models_of
from ecs_hooks.plan.model import MAX_CHECKS, Policies


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of `hookDetails`."""
    classes: Any = tuple(check_class(kind) for kind in CHECKS)
    one_check: Any = Union[classes]  # noqa: UP007 - the classes are only known now
    checks: Any = list[one_check]
    plan = create_model(
        "Plan",
        __base__=Policies,
        __doc__="hookDetails of an ECS deployment lifecycle hook that ecs-hooks answers.",
        checks=(checks, Field(default=[], max_length=MAX_CHECKS, description="The checks, run side by side.")),
    )
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **plan.model_json_schema()}
    _describe(schema["properties"], Policies)
    for each in (schema, *schema["$defs"].values()):
        if each.get("additionalProperties") is False:
            each["patternProperties"] = {ANNOTATIONS: {}}
    for kind in CHECKS:
        definition = schema["$defs"][check_class(kind).__name__]
        # Code may omit the type of a check, a plan may not.
        definition["required"] = ["type", *definition.get("required", ())]
    for model in _models(*classes):
        definition = schema["$defs"].get(model.__name__, {})
        _describe(definition.get("properties", {}), model)
    return schema


def schema_text() -> str:
    """Return the schema as it is shipped."""
    return json.dumps(plan_schema(), indent=2) + "\n"


def _describe(properties: dict[str, Any], model: type[BaseModel]) -> None:
    """Give the properties of a model the texts that stand below its fields.

    pydantic could do that by itself, but would read the source of each model at every cold start.
    """
    texts = {name: text for each in reversed(model.__mro__) for name, text in _texts_below_fields(each)}
    described = {field.alias or name: texts[name] for name, field in model.model_fields.items() if name in texts}
    for name, text in described.items():
        properties[name].setdefault("description", text)


def _texts_below_fields(model: type) -> Iterator[tuple[str, str]]:
    if not (issubclass(model, BaseModel) and model is not BaseModel):
        return
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    except OSError:  # a class that is made of others, without a text of its own
        return
    assert isinstance(definition, ast.ClassDef)
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            yield field.target.id, inspect.cleandoc(ast.literal_eval(text.value))


def _models(*classes: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models, and those in their fields, each once."""
    found: dict[type[BaseModel], None] = {}
    waiting = list(classes)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = None
            inside = [inner for field in model.model_fields.values() for inner in models_of(field)]
            waiting += [member for inner in inside for member in members_of(inner)]
    return list(found)
