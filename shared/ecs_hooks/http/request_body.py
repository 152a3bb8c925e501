"""Bodies of requests: text, JSON, forms, and multipart forms with files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from urllib3.filepost import encode_multipart_formdata

from ecs_hooks.core.json_text import write_json
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Query, encode_query, encoded


class File(NamedTuple):
    """A file of a multipart body.

    Parameters
    ----------
    filename
        Its name.
    content
        Its bytes.
    content_type
        Its media type.
    """

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


Part: TypeAlias = "str | File"
"""A part of a multipart body: the text of a field, or a file."""


class Body(NamedTuple):
    """The body of a request.

    Parameters
    ----------
    content
        The bytes.
    content_type
        The `Content-Type`, unless it is in the request's headers.
    """

    content: bytes
    content_type: str


def json_body(value: object) -> Body:
    """Return a JSON body.

    Raises
    ------
    RequestError
        If the value has a number that JSON does not have.
    """
    try:
        return Body(write_json(value).encode(), "application/json")
    except (ValueError, RecursionError):
        raise RequestError(
            "json: must have no NaN, no infinite number, and no more than a few hundred levels"
        ) from None


def text_body(text: str) -> Body:
    """Return a body of text.

    Raises
    ------
    RequestError
        If it has half of a surrogate pair.
    """
    return Body(encoded(text, "body"), "text/plain; charset=utf-8")


def form_body(fields: Query) -> Body:
    """Return a form body, URL encoded."""
    return Body(encode_query(fields).encode(), "application/x-www-form-urlencoded")


def multipart_body(parts: Mapping[str, Part | Sequence[Part]]) -> Body:
    """Return a multipart body with fields and files; a list repeats the name.

    Raises
    ------
    RequestError
        If a text has half of a surrogate pair.
    """
    named = [
        (name, part) for name, given in parts.items() for part in ([given] if isinstance(given, str | File) else given)
    ]
    for name, part in named:
        encoded(name + (part if isinstance(part, str) else part.filename + part.content_type), "multipart")
    content, content_type = encode_multipart_formdata(
        [
            (name, part if isinstance(part, str) else (part.filename, part.content, part.content_type))
            for name, part in named
        ]
    )
    return Body(content, content_type)


def as_file(part: Any) -> str | File:
    """Return a part of a multipart body from text, a `File`, or a tuple like it.

    Raises
    ------
    RequestError
        If it is something else.
    """
    match part:
        case str() | File():
            return part
        case (str(filename), bytes() | str() as content, *rest) if len(rest) <= 1:
            return File(filename, encoded(content, "multipart") if isinstance(content, str) else content, *rest)
        case _:
            raise RequestError("a part of a multipart body must be text or (filename, content, content_type)")
