"""The base classes of the objects with fixed fields in a plan.

Unions of them are distinguished by one field, such as queries by `query`; only the members in use are built.
The model of a field can be imported when a plan first uses it, so that other plans do not pay for its import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError, core_schema

from ecs_hooks.core.formatting import json_type, not_allowed

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import JsonSchemaValue
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


class TaggedModel(PlanModel):
    """Base of a union.

    A direct subclass is a union: it names the tag's field, and its `model_validate` returns a member. A direct subclass of
    the union is a member if it gives the tag a value (`query: Literal["status"]`), and otherwise a union of the same
    members, each with its fields added.
    """

    tag_field: ClassVar[str]
    """The field that holds the tag."""

    def __new__(cls, **fields: Any) -> Self:
        """Return an instance of the member that the tag selects, so that a union can be called like any model."""
        # Python calls __init__ of the member afterwards, which validates the fields once more and keeps them.
        return super().__new__(type(cls.model_validate(fields)) if is_union(cls) else cls)

    @classmethod
    def _by_tag(cls) -> dict[str, type[TaggedModel]]:
        union = next(each for each in cls.__mro__ if TaggedModel in each.__bases__)
        members: Any = union.__subclasses__()
        return {tag: each for each in members for tag in get_args(each.model_fields[cls.tag_field].annotation)}

    @classmethod
    def members(cls) -> list[type[Self]]:
        """Return the members of a union."""
        return [cls._member(tag) for tag in cls._by_tag()]

    @classmethod
    @cache
    def _member(cls, tag: str) -> type[Self]:
        member = cls._by_tag()[tag]
        if issubclass(member, cls):
            return member
        name = f"{member.__name__.removesuffix(member.__bases__[0].__name__)}{cls.__name__}"
        namespace = {"__module__": cls.__module__, "__doc__": member.__doc__}
        metaclass: Any = type(cls)
        return metaclass(name, (member, cls), namespace)  # type: ignore[no-any-return] # made at run time

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema by which pydantic validates a union or a member."""
        if is_union(cls):
            return core_schema.no_info_plain_validator_function(cls._validated)
        return super().__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON Schema: of a union, that of its members."""
        if not is_union(cls):
            return handler(schema)
        members = cls.members()
        for each in members:
            each.model_rebuild()
        return handler(core_schema.union_schema([each.__pydantic_core_schema__ for each in members]))

    @classmethod
    def _validated(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        field, members = cls.tag_field, cls._by_tag()
        if not isinstance(value, dict):
            raise _error(cls, InitErrorDetails(type="dict_type", input=value))
        if field not in value:
            unknown = [
                InitErrorDetails(type="extra_forbidden", loc=(name,), input=value[name])
                for name in value
                if name not in fields_of(cls) and not is_annotation(name)
            ]
            raise _error(cls, InitErrorDetails(type="missing", loc=(field,), input=value), *unknown)
        tag = value[field]
        if not isinstance(tag, str) or tag not in members:
            expected = ", ".join(map(repr, members))
            raise _error(
                cls, InitErrorDetails(type="literal_error", loc=(field,), input=tag, ctx={"expected": expected})
            )
        try:
            return cls._member(tag).model_validate(value)
        except ValidationError as error:
            raise _error(cls, *(cls._worded(each, tag) for each in error.errors(include_url=False))) from None

    @classmethod
    def _worded(cls, error: Any, tag: str) -> InitErrorDetails:
        """Return an error that names the member where the member's fields are concerned."""
        member = f'{cls.tag_field} "{tag}"'
        message = ""
        if error["type"] == "missing" and len(error["loc"]) == 1:
            message = f"is required by {member}"
        elif error["type"] == "extra_forbidden" and len(error["loc"]) == 1 and error["loc"][0] in fields_of(cls):
            message = f"not supported by {member}"
        kind = PydanticCustomError("value_error", "{message}", {"message": message}) if message else error["type"]
        return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))


def is_union(model: type[BaseModel]) -> bool:
    """Return whether a model is a union of others."""
    return issubclass(model, TaggedModel) and not get_args(model.model_fields[model.tag_field].annotation)


def members_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the members of a union; of any other model, the model itself."""
    return [*model.members()] if issubclass(model, TaggedModel) and is_union(model) else [model]


def fields_of(model: type[BaseModel]) -> dict[Any, FieldInfo]:
    """Return the fields of a model by the names that a plan uses; of a union, those of all members."""
    return {info.alias or name: info for each in members_of(model) for name, info in each.model_fields.items()}


def _error(model: type[BaseModel], *errors: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data(model.__name__, list(errors))


class LazyModel:
    """A model as the type of a field, by its import path: `Annotated[Any, LazyModel("package.module:Model")]`.

    Parameters
    ----------
    path
        Module and name of the model.
    or_string
        Whether the field may also be a string; or the module and name of the strings that it may be.
    example
        The object that the field may be besides a string, for messages.
    """

    def __init__(
        self, path: str, *, or_string: bool | str = False, example: str = 'a reference such as {"ssm": "/name"}'
    ) -> None:
        self._path = path
        self._or_string = or_string
        self._example = example

    @property
    def model(self) -> type[BaseModel]:
        """The model. Imports it on first use."""
        model: type[BaseModel] = _imported(self._path)
        return model

    @property
    def _strings(self) -> list[str]:
        """The strings that the field may be; none where it may be any."""
        return list(_imported(self._or_string)) if isinstance(self._or_string, str) else []

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema by which pydantic validates the field."""
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the model, as if it were the type of the field."""
        self.model.model_rebuild()
        string = core_schema.literal_schema(self._strings) if self._strings else core_schema.str_schema()
        return handler(
            core_schema.union_schema([*([string] if self._or_string else []), self.model.__pydantic_core_schema__])
        )

    def _validated(self, value: Any) -> Any:
        if self._or_string and isinstance(value, str):
            if self._strings and value not in self._strings:
                raise ValueError(self._unknown(value))
            return value
        if self._or_string and not isinstance(value, dict | self.model):
            raise ValueError(f"must be a string, or {self._example}, not {json_type(value)}")
        # pydantic reports mistakes inside as it does for any model in a field.
        return self.model.model_validate(value)

    def _unknown(self, string: str) -> str:
        if string in self.model.model_fields:
            return f'requires an argument; write {{"{string}": ...}}'
        return not_allowed(string, self._strings)


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def lazy_models(metadata: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the lazy models in the metadata of a field or an annotation."""
    return (each.model for each in metadata if isinstance(each, LazyModel))
