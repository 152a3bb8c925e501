"""Fields whose model is loaded when a plan first has them, so that other plans do not pay for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from ecs_hooks.core.formatting import not_allowed
from ecs_hooks.core.json_types import json_type

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Later:
    """A model as the type of a field, by its name: `Annotated[Any, Later("package.module:Model")]`.

    Parameters
    ----------
    place
        Module and name of the model.
    or_text
        Whether the field may be a string as well, or which strings it may be.
    such_as
        An example of the other values, for messages.
    """

    def __init__(
        self,
        place: str,
        *,
        or_text: bool | Sequence[str] = False,
        such_as: str = 'a reference such as {"ssm": "/name"}',
    ) -> None:
        self._place = place
        self._or_text = bool(or_text)
        self._texts = () if isinstance(or_text, bool) else tuple(or_text)
        self._such_as = such_as

    @property
    def model(self) -> type[BaseModel]:
        """The model. Loads it on first use."""
        module, _, name = self._place.partition(":")
        model: type[BaseModel] = getattr(import_module(module), name)
        return model

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema by which pydantic validates the field."""
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the model, as if it were the type of the field."""
        self.model.model_rebuild()
        of_text = core_schema.literal_schema(list(self._texts)) if self._texts else core_schema.str_schema()
        return handler(
            core_schema.union_schema([*([of_text] if self._or_text else []), self.model.__pydantic_core_schema__])
        )

    def _validated(self, value: Any) -> Any:
        if self._or_text and isinstance(value, str):
            if self._texts and value not in self._texts:
                raise ValueError(self._unknown(value))
            return value
        if self._or_text and not isinstance(value, dict | self.model):
            raise ValueError(f"must be a string, or {self._such_as}, not {json_type(value)}")
        # pydantic reports mistakes inside as it does for any model in a field.
        return self.model.model_validate(value)

    def _unknown(self, text: str) -> str:
        if text in self.model.model_fields:
            return f"requires an argument, for example {self._such_as}"
        return not_allowed(text, self._texts)


def models_later(metadata: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the lazy models in the metadata of a field or an annotation."""
    return (each.model for each in metadata if isinstance(each, Later))
