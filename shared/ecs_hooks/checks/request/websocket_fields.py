"""The messages of a WebSocket as a plan writes them."""

from __future__ import annotations

import base64
from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from ecs_hooks.core.json_text import write_json
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import encoded
from ecs_hooks.http.websocket import Messages

_SUBPROTOCOL = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"


class WebSocket(PlanModel):
    """A WebSocket that a request opens, and one exchange on it."""

    send: JsonValue = None
    """Message to send: a text, or any other JSON value, which is sent as JSON. Default: none."""
    send_base64: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$", max_length=1_000_000)] | None = None
    """Message of bytes to send, in Base64, instead of `send`."""
    receive: Annotated[int, Field(ge=0, le=100)] = 1
    """Number of messages to wait for. The last one is the body that `expect`, `asserts` and `captures` evaluate; with 0 it
    is empty."""
    subprotocols: Annotated[
        tuple[Annotated[str, Field(pattern=_SUBPROTOCOL, max_length=100)], ...], Field(max_length=20)
    ] = ()
    """Subprotocols to offer; the response's header `Sec-WebSocket-Protocol` has the server's choice."""

    @model_validator(mode="after")
    def _has_one_message(self) -> Self:
        if "send" in self.model_fields_set and self.send_base64 is not None:
            raise ValueError("has both send and send_base64; remove one of them")
        if self.send_base64 is not None and len(self.send_base64) % 4:
            raise ValueError("send_base64: is not valid Base64")
        if isinstance(self.send, str):
            encoded(self.send, "send")
        return self

    @property
    def messages(self) -> Messages:
        """The messages."""
        message: str | bytes | None = None
        if self.send_base64 is not None:
            message = base64.b64decode(self.send_base64)
        elif "send" in self.model_fields_set:
            message = self.send if isinstance(self.send, str) else _json(self.send)
        return Messages(message, self.receive, self.subprotocols)


def _json(value: JsonValue) -> str:
    try:
        return write_json(value)
    except (ValueError, RecursionError):
        raise RequestError(
            "websocket.send: must have no NaN, no infinite number, and no more than a few hundred levels"
        ) from None
