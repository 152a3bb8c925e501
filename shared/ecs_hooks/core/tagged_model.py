"""Unions of models distinguished by one field, such as queries by `query`; only the members in use are built."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from ecs_hooks.core.plan_model import PlanModel, is_annotation

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


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
