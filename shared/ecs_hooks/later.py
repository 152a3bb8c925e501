"""Fields whose model is loaded when a plan first gives them: whoever does without them does not pay for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from ecs_hooks.event import json_type

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Later:
    """A model as the type of a field, by its place: `Annotated[Any, Later("package.module:Model")]`.

    Parameters
    ----------
    place
        Where the model is.
    or_text
        Whether the field may be a text as well.
    """

    def __init__(self, place: str, *, or_text: bool = False) -> None:
        self._place = place
        self._or_text = or_text

    @property
    def model(self) -> type[BaseModel]:
        """The model, loaded now at the latest."""
        module, _, name = self._place.partition(":")
        model: type[BaseModel] = getattr(import_module(module), name)
        return model

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema by which pydantic validates the field."""
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the model, as if it stood in the field."""
        self.model.model_rebuild()
        text = [core_schema.str_schema()] if self._or_text else []
        return handler(core_schema.union_schema([*text, self.model.__pydantic_core_schema__]))

    def _validated(self, value: Any) -> Any:
        if self._or_text and isinstance(value, str):
            return value
        if self._or_text and not isinstance(value, dict | self.model):
            message = f'must be text, or a reference such as {{"ssm": "/name"}}, not {json_type(value)}'
            raise ValueError(message)
        # What is wrong inside is told by pydantic as of any model in a field.
        return self.model.model_validate(value)


def models_later(metadata: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the models that the metadata of a field or an annotation stand for."""
    return (each.model for each in metadata if isinstance(each, Later))
