"""The base class of every object with fixed fields in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticKnownError, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

ANNOTATIONS = r"^(\$schema$|x-)"
"""The pattern of the keys that are ignored: `"$schema"`, which editors read, and keys for people and other programs."""


def is_annotation(key: object) -> bool:
    """Return whether a key of an object with fixed fields is ignored."""
    return isinstance(key, str) and (key == "$schema" or key.startswith("x-"))


class PlanModel(BaseModel):
    """An object with fixed fields.

    Keys that are annotations are ignored, others that are no field are refused. A number with a fraction of 0, such as 200.0,
    is a whole number, as in JSON Schema; strings and booleans are no numbers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_annotations(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and any(map(is_annotation, value)):
            return {name: each for name, each in value.items() if not is_annotation(name)}
        return value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema by which pydantic validates the model."""
        schema = handler(source)
        return _with_json_types(schema, cls)  # type: ignore[no-any-return] # a dictionary like the one it is given


def _is_number(value: Any, kind: str) -> Any:
    if isinstance(value, str | bytes | bool):
        raise PydanticKnownError(kind)  # type: ignore[arg-type] # int_type or float_type
    return value


def _is_whole_number(value: Any) -> Any:
    return _is_number(value, "int_type")


def _is_any_number(value: Any) -> Any:
    return _is_number(value, "float_type")


_NUMBERS = {"int": _is_whole_number, "float": _is_any_number}


_INNER = {"schema", "items_schema", "keys_schema", "values_schema", "choices", "steps", "definitions"}
"""Entries of pydantic's schemas that are schemas."""


def _with_json_types(schema: Any, model: type[BaseModel]) -> Any:
    """Return a schema of pydantic whose numbers and booleans are those of JSON, except in other models."""
    if isinstance(schema, list | tuple):
        return type(schema)(_with_json_types(each, model) for each in schema)
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "bool":
        return {**schema, "strict": True}
    if kind in _NUMBERS:
        return core_schema.no_info_before_validator_function(_NUMBERS[kind], {**schema, "strict": False})
    if kind is None or (kind == "model" and schema["cls"] is not model):
        return schema  # another model has its own numbers
    made = {name: _with_json_types(each, model) if name in _INNER else each for name, each in schema.items()}
    if kind == "model-fields":
        made["fields"] = {name: _with_json_types(each, model) for name, each in schema["fields"].items()}
    return made
