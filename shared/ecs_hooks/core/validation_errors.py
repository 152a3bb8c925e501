"""Lines about the mistakes in a configuration: each names the field, what is wrong, and what is allowed.

pydantic finds the mistakes; its own texts name Python's types, so none of them is shown. A text of the configuration is
never shown either, since it could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ecs_hooks.core.formatting import counted, json_type, nearest, not_allowed
from ecs_hooks.core.plan_model import fields_of, lazy_models

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails


class Form(NamedTuple):
    """The form of a text, in words, for a field with a pattern: `Annotated[str, Field(pattern=...), Form("/PATH")]`.

    Parameters
    ----------
    words
        What an error shows in place of the pattern.
    """

    words: str


class FieldError(ValueError):
    """Mistakes that a validator of a model finds in some of its fields.

    Parameters
    ----------
    *lines
        A line for each mistake, beginning with the path below the model, such as `steps[0].name: must ...`.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def error_lines(error: ValidationError, where: str, model: type[BaseModel], *more: str) -> list[str]:
    """Return a line for each mistake.

    Parameters
    ----------
    error
        The mistakes.
    where
        The path of the model, such as `hookDetails.checks[0]`.
    model
        The model.
    *more
        Fields that are allowed at that path besides those of the model.
    """
    lines: dict[str, None] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=True):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # pydantic does not count invalid items, which have lines of their own
        is_key = detail["loc"][-1:] == (_OF_KEY,)
        path = f"{_path(detail['loc'][:-1])} (the name of a field)" if is_key else _path(detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, FieldError):
            lines |= dict.fromkeys(f"{where}{path}.{line}" for line in cause.lines)
            continue
        lines[f"{where}{path}: {_problem(detail, model, more)}"] = None
    return list(lines)


def error_at(detail: ErrorDetails, location: Sequence[str | int]) -> InitErrorDetails:
    """Return a mistake as it is, at another place, for `ValidationError.from_exception_data`."""
    context = detail.get("ctx", {})
    kind: Any = detail["type"]
    if kind == "value_error" and "error" not in context:  # of a tagged model
        kind = PydanticCustomError("value_error", "{message}", context)
    return InitErrorDetails(type=kind, loc=tuple(location), input=detail["input"], ctx=context)


_TYPES = {
    "bool": "true or false",
    "dict": "an object",
    "float": "a number",
    "int": "a whole number",
    "list": "an array",
    "model": "an object",
    "string": "a string",
    "tuple": "an array",
}
"""What JSON calls the types in pydantic's kinds of errors, such as `tuple_type` and `int_parsing`."""

_LIMITS = {
    "greater_than": ("must be greater than", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be less than", "lt"),
    "less_than_equal": ("must be at most", "le"),
    "multiple_of": ("must be a multiple of", "multiple_of"),
}

_OF_KEY = "[key]"
"""pydantic's name of the key of an entry, after the key itself."""

BEYOND_DOUBLE = "a number beyond the range of a double"
"""How messages show such a number."""

_SIZES = {
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
}


def _problem(detail: ErrorDetails, model: type[BaseModel], more: Sequence[str]) -> str:  # noqa: C901, PLR0911 - a table
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"{words} {context[key]:g}, not {_number(value)}"
    if kind in _SIZES:
        words, key, noun = _SIZES[kind]
        return f"must have {words} {counted(context[key], noun)}, not {len(value)}"
    name, _, aspect = kind.rpartition("_")
    if aspect in {"type", "parsing"} and name in _TYPES:
        return f"must be {_TYPES[name]}, not {json_type(value)}"
    match kind:
        case "extra_forbidden":
            return f"unknown field{nearest(detail['loc'][-1], _known_at(model, detail['loc'][:-1], more))}"
        case "enum" | "literal_error":
            return not_allowed(value, re.findall(r"'([^']*)'", str(context["expected"])))
        case "missing":
            return "is required"
        case "int_from_float":
            return f"must be a whole number, not {_number(value)}"
        case "finite_number":
            return "must be a finite number"
        case "string_unicode":
            return "must not contain half of a surrogate pair"
        case "string_pattern_mismatch":
            field = _field_at(model, detail["loc"])
            form = next(_forms_in(field), "") if field is not None else ""
            return f"must have the form {form}" if form else f"must match the pattern {context['pattern']}"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case _:
            return f"must not be {json_type(value)} of this kind"


def _forms_in(annotated: Any) -> Iterator[str]:
    """Yield the forms in a field or an annotation, such as that in `Annotated[str, Form("...")] | None`."""
    metadata: Sequence[Any] = getattr(annotated, "metadata", ()) or getattr(annotated, "__metadata__", ())
    yield from (each.words for each in metadata if isinstance(each, Form))
    for inner in (getattr(annotated, "annotation", None), *getattr(annotated, "__args__", ())):
        if inner is not None:
            yield from _forms_in(inner)


def _number(value: object) -> str:
    """Return a number as a message shows it; other types by their name."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json_type(value)
    try:
        return f"{float(value):.15g}"
    except OverflowError:
        return BEYOND_DOUBLE


def _known_at(model: type[BaseModel], location: Sequence[str | int], more: Sequence[str]) -> list[str]:
    return [*fields_at(model, location), *([] if location else more)]


def fields_at(model: type[BaseModel], location: Sequence[str | int] = ()) -> list[str]:
    """Return the names of the fields at a path inside a model, in the models that are nested there."""
    here = model
    for info in _fields_along(model, location):
        here = next(iter(models_of(info)), here)
    return list(fields_of(here))


def _field_at(model: type[BaseModel], location: Sequence[str | int]) -> FieldInfo | None:
    """Return the innermost field on a path inside a model."""
    return next(reversed(list(_fields_along(model, location))), None)


def _fields_along(model: type[BaseModel], location: Sequence[str | int]) -> Iterator[FieldInfo]:
    """Yield the fields on a path inside a model. Steps that are no field (an index, a key) are passed over."""
    here = model
    for step in location:
        info = fields_of(here).get(step)
        if info is not None:
            yield info
            here = next(iter(models_of(info)), here)


def models_of(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the models that a field can have as its value, such as `Expect` for `Expect | None`."""
    return [*lazy_models(field.metadata), *_models_in(field.annotation)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    lazy = lazy_models(getattr(annotation, "__metadata__", ()))
    return [*lazy, *(model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner))]


def _path(location: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
