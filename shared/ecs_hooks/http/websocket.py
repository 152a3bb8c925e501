"""One exchange over a WebSocket: the handshake, a message, and the response to it. wsproto does the framing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.http.errors import Phase, ProtocolError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import HTTPHeaderDict
    from wsproto.connection import Connection

    from ecs_hooks.http.deadline_socket import DeadlineSocket
    from ecs_hooks.http.limits import Budget, Limits

_VERSION = "13"


class Messages(NamedTuple):
    """The messages of one exchange.

    Parameters
    ----------
    send
        The message to send, text or bytes; None for none.
    receive
        Number of messages to wait for; the last one is the response.
    subprotocols
        The subprotocols that the server may choose from.
    """

    send: str | bytes | None = None
    receive: int = 1
    subprotocols: tuple[str, ...] = ()


class Handshake:
    """The headers that open a WebSocket (RFC 6455, section 4)."""

    def __init__(self, messages: Messages) -> None:
        from wsproto.utilities import generate_nonce  # noqa: PLC0415 - plans without a WebSocket need not load it

        self._key = generate_nonce()
        self._subprotocols = messages.subprotocols

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers of the request."""
        offered = ", ".join(self._subprotocols)
        return [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", _VERSION),
            ("Sec-WebSocket-Key", self._key.decode()),
            *([("Sec-WebSocket-Protocol", offered)] if offered else []),
        ]

    def check(self, headers: HTTPHeaderDict) -> None:
        """Validate the headers of the response.

        Raises
        ------
        ProtocolError
            If they do not open a WebSocket.
        """
        from wsproto.utilities import generate_accept_token  # noqa: PLC0415 - as above

        if headers.get("sec-websocket-accept", "") != generate_accept_token(self._key).decode():
            raise ProtocolError("WebSocket handshake has an invalid Sec-WebSocket-Accept")
        if headers.get("upgrade", "").lower() != "websocket":
            raise ProtocolError("WebSocket handshake has no Upgrade: websocket")
        chosen = headers.get("sec-websocket-protocol")
        if chosen is not None and chosen not in self._subprotocols:
            raise ProtocolError("WebSocket handshake has a subprotocol that the request does not offer")
        if headers.get("sec-websocket-extensions"):
            raise ProtocolError("WebSocket handshake has an extension that the request does not offer")


def exchange(socket: DeadlineSocket, begin: bytes, messages: Messages, limits: Limits, budget: Budget) -> bytes:
    """Send a message, and return the last of the messages that the server sends then; empty if none is waited for.

    Parameters
    ----------
    socket
        The connection after the handshake.
    begin
        What was received after the handshake.
    messages
        The messages.
    limits
        Size of all messages.
    budget
        The time.

    Raises
    ------
    HttpError
        If there is no such message.
    """
    from wsproto.connection import Connection, ConnectionType  # noqa: PLC0415 - as above
    from wsproto.events import BytesMessage, CloseConnection, TextMessage  # noqa: PLC0415

    connection = Connection(ConnectionType.CLIENT, trailing_data=begin)
    try:
        match messages.send:
            case str() as text:
                socket.send_all(connection.send(TextMessage(data=text)))
            case bytes() as content:
                socket.send_all(connection.send(BytesMessage(data=content)))
        last = b""
        received = _received(connection, socket, limits)
        for _ in range(messages.receive):
            last = next(received)
        with suppress(OSError):
            socket.send_all(connection.send(CloseConnection(code=1000)))
    except TimeoutError:
        raise budget.timeout(Phase.MESSAGE) from None
    except OSError as error:
        raise ProtocolError("connection ended before a WebSocket message") from error
    return last


def _received(connection: Connection, socket: DeadlineSocket, limits: Limits) -> Iterator[bytes]:
    """Yield each message as it arrives."""
    from wsproto.connection import ConnectionState  # noqa: PLC0415 - as above
    from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage  # noqa: PLC0415

    message = b""
    total = 0
    while True:
        for event in connection.events():
            if isinstance(event, CloseConnection):
                if connection.state is ConnectionState.OPEN:  # wsproto itself ends it
                    raise ProtocolError("WebSocket frame is malformed")
                raise ProtocolError(f"server closed the WebSocket with code {int(event.code)} before a message")
            if isinstance(event, Ping):
                socket.send_all(connection.send(event.response()))
            elif isinstance(event, TextMessage | BytesMessage):
                message += event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
                if total + len(message) > limits.max_body_bytes:
                    raise TooLargeError(limits.max_body_bytes)
                if event.message_finished:
                    yield message
                    total, message = total + len(message), b""
        data = socket.recv()
        if not data:
            raise ConnectionResetError
        connection.receive_data(data)
