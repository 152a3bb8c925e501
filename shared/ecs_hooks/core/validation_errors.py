"""What is wrong with a configuration, in lines that name the field and the fix, and never show a value: it could be a secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.lazy_model import models_later

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails


def described(error: ValidationError, where: str, model: type[BaseModel], *more: str) -> list[str]:
    """Return a line for each mistake.

    Parameters
    ----------
    error
        What pydantic says of them.
    where
        Where the model stands, such as `hookDetails.checks[0]`.
    model
        The model.
    *more
        Fields that are known at that place besides those of the model.
    """
    lines: dict[str, None] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=True):
        path = _path(detail["loc"])
        lines[f"{where}{path}: {_problem(detail, model, more)}"] = None
    return list(lines)


def _problem(detail: ErrorDetails, model: type[BaseModel], more: Sequence[str]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return f"is no known field{nearest(detail['loc'][-1], _known_at(model, detail['loc'][:-1], more))}"
        case "enum":
            known = str(detail["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"is not one of the values it can have{nearest(detail['input'], known)}"
        case "missing":
            return "is missing"
        case _:
            return detail["msg"].removeprefix("Value error, ")


def _known_at(model: type[BaseModel], location: Sequence[str | int], more: Sequence[str]) -> list[str]:
    return [*fields_at(model, location), *([] if location else more)]


def fields_at(model: type[BaseModel], location: Sequence[str | int] = ()) -> list[str]:
    """Return the names of the fields at a place inside a model, by following the models that are nested there."""
    here: Any = model
    for step in location:
        info = _by_alias(here).get(step) if isinstance(step, str) else None
        if info is not None:
            here = next(iter(models_of(info)), here)
    return list(_by_alias(here))


def _by_alias(model: type[BaseModel]) -> dict[Any, Any]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def models_of(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the models that a field can have as its value, such as `Expect` for `Expect | None`."""
    return [*models_later(field.metadata), *_models_in(field.annotation)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    later = models_later(getattr(annotation, "__metadata__", ()))
    return [*later, *(model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner))]


def _path(location: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
