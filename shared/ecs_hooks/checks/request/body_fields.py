"""The fields of a request's body as a plan writes them: texts, bytes in Base64, forms and parts."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import Form, error_at
from ecs_hooks.http.request_body import File
from ecs_hooks.http.url import Scalar, encoded

_SAFE_HEADER = r"^[\t\x20-\x7e]+$"


def decode_base64(text: str) -> bytes:
    """Return the bytes in a text in Base64; raise ValueError if it is not valid."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not valid Base64") from None


def _check_base64(text: str) -> str:
    decode_base64(text)
    return text


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, Scalar) for each in values):
            raise ValueError(f"{name[:80]!r} must be text, a number, true, false, or an array of these")
        for text in (name, *map(str, values)):
            encoded(text)
    return fields


_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}


def _check_text(text: str) -> str:
    encoded(text)
    return text


Text = Annotated[str, AfterValidator(_check_text)]

Base64Text = Annotated[str, AfterValidator(_check_base64)]

Fields = Annotated[
    dict[str, Any],
    AfterValidator(_check_fields),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA}]},
        }
    ),
]
"""Fields of a form or a query. A validator checks them, since the errors of a union name its members."""


class Part(PlanModel):
    """A part of a multipart body: a file if it has a filename, else a field."""

    filename: Text | None = None
    """File name."""
    content: Text | None = None
    """Content as text."""
    content_base64: Base64Text | None = None
    """Content as bytes, in Base64."""
    content_type: (
        Annotated[str, Field(pattern=_SAFE_HEADER, max_length=200), Form("text/plain: ASCII on one line")] | None
    ) = None
    """Media type. Default for a file: `application/octet-stream`."""

    @model_validator(mode="after")
    def _has_one_content(self) -> Part:
        if (self.content is None) == (self.content_base64 is None):
            raise ValueError("requires exactly one of content and content_base64")
        if self.filename is None and (self.content is None or self.content_type is not None):
            raise ValueError("requires a filename, because it has content_base64 or content_type")
        return self

    def encode(self) -> str | File:
        """Return the part as `multipart_body` accepts it."""
        if self.filename is None:
            return self.content or ""
        content = (
            encoded(self.content or "", "multipart")
            if self.content_base64 is None
            else decode_base64(self.content_base64)
        )
        return File(self.filename, content, self.content_type or "application/octet-stream")


def _from_text(value: Any) -> Any:
    return {"content": value} if isinstance(value, str) else value


TextOrPart = Annotated[Part, BeforeValidator(_from_text, json_schema_input_type=Part | str)]
"""A part, or the text of a field."""


def _each_part(value: Any, handler: ValidatorFunctionWrapHandler) -> tuple[Part, ...]:
    if not isinstance(value, list | tuple):
        return (handler(value),)
    parts, errors = [], []
    for index, each in enumerate(value):
        try:
            parts.append(handler(each))
        except ValidationError as error:
            errors += [error_at(detail, (index, *detail["loc"])) for detail in error.errors(include_url=False)]
    if errors:
        raise ValidationError.from_exception_data("Part", errors)
    return tuple(parts)


if TYPE_CHECKING:
    Parts = tuple[Part, ...]
else:
    Parts = Annotated[TextOrPart, WrapValidator(_each_part, json_schema_input_type=Part | str | list[Part | str])]
    """A part, or an array of parts that have the same name."""
