"""The body of an HTTP check's request, as a plan writes it."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from ecs_hooks.http.request import File
from ecs_hooks.http.url import Scalar


def decode_base64(text: str) -> bytes:
    """Return the bytes of a Base64 text.

    Raises
    ------
    ValueError
        If it is none.
    """
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
    return fields


_SCALAR_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}

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
"""Fields of a form or a query. Checked by hand: a union would name its members in every error."""

_SAFE_HEADER = r"^[\t\x20-\x7e]+$"


class Part(BaseModel):
    """A part of an upload: a file if it has a filename, else a field."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    filename: str | None = None
    """Name of the file."""
    content: str | None = None
    """Its text."""
    content_base64: Base64Text | None = None
    """Or its bytes, in Base64."""
    content_type: Annotated[str, Field(pattern=_SAFE_HEADER, max_length=200)] | None = None
    """Its media type; `application/octet-stream` for a file that names none."""

    @model_validator(mode="after")
    def _has_one_content(self) -> Part:
        if (self.content is None) == (self.content_base64 is None):
            raise ValueError("needs one of content and content_base64")
        if self.filename is None and (self.content is None or self.content_type is not None):
            raise ValueError("needs a filename with content_base64 or content_type")
        return self

    def encode(self) -> str | File:
        """Return the part as the client takes it."""
        if self.filename is None:
            return self.content or ""
        content = (self.content or "").encode() if self.content_base64 is None else decode_base64(self.content_base64)
        return File(self.filename, content, self.content_type or "application/octet-stream")


def _from_text(value: Any) -> Any:
    return {"content": value} if isinstance(value, str) else value


TextOrPart = Annotated[Part, BeforeValidator(_from_text, json_schema_input_type=Part | str)]
"""A part, or the text of a field."""
