"""Fields whose model is imported when a plan first uses them, so that other plans do not pay for its import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from ecs_hooks.core.formatting import json_type, not_allowed

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


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
