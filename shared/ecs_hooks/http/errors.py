"""The errors of a request, by their meaning for the verdict.

    HttpError                       FAIL unless said otherwise
    ├── TransportError              no response yet: retried, then ERROR
    │   ├── NameResolutionError     the name has no address, or DNS failed
    │   ├── ConnectError            refused, unreachable
    │   ├── ConnectTimeoutError     no connection (TCP, TLS or DNS) in time
    │   ├── TlsHandshakeError       handshake failed
    │   └── ResetBeforeResponseError
    ├── CertificateError            the server responds, with a wrong certificate
    ├── TlsVersionError             the server has no TLS version in common
    ├── ResponseTimeoutError        connected, but no complete response in time
    ├── DeadlineError               the invocation's time is over: WAIT
    ├── ProtocolError               not a complete, valid HTTP response
    │   └── ContentError            the body does not have the expected format, such as JSON
    ├── TooLargeError               more than `max_body_bytes`
    ├── RedirectError               a loop, too many, or an invalid location
    ├── FunctionLimitError          a limit of the function itself, such as file descriptors: ERROR
    ├── RequestError                the request is not valid
    └── ForbiddenAddressError       the address guard refuses

A status such as 500 is a response, not an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.core.own_limits import OwnLimitError


class Phase(StrEnum):
    """The step of a request, in the words before "within 10 s"."""

    RESOLVE = "no address for the name"
    CONNECT = "no connection"
    TLS = "TLS handshake not finished"
    SEND = "request not accepted"
    HEAD = "no complete response header"
    BODY = "response body not complete"
    DECODE = "response body not decoded"
    MESSAGE = "no WebSocket message"


class HttpError(ExplainedError):
    """A request brought no usable response.

    Parameters
    ----------
    message
        What happened, without values from the server.

    Attributes
    ----------
    where
        Method and address of the request, without credentials and query values. Empty until the request is known.
    """

    permanent: ClassVar[bool] = False
    """Whether a further request of the same run can not succeed, even in a check that polls."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.where = ""

    def __str__(self) -> str:
        """Return the request and what happened to it."""
        return f"{self.where} {self.message}".strip()


class TransportError(HttpError):
    """There was no connection, or it ended before the first byte of a response.

    Attributes
    ----------
    may_resend
        Whether the request may be sent again. It may not if the server may have processed it, and the check sends no
        request twice.
    """

    may_resend = True

    @property
    def outcome(self) -> Outcome:
        """`ERROR`: the application could not be reached."""
        return Outcome.error(str(self))


class NameResolutionError(TransportError):
    """The name has no address, or could not be looked up."""


class ConnectError(TransportError):
    """The connection was refused, or there is no route to the address."""


class ConnectTimeoutError(TransportError):
    """There was no connection in time."""


class TlsHandshakeError(TransportError):
    """The TLS handshake failed, for another reason than the certificate."""


class ResetBeforeResponseError(TransportError):
    """The connection ended before the first byte of a response."""


class CertificateError(HttpError):
    """The certificate is not valid for the host."""


class TlsVersionError(HttpError):
    """The server does not support the required TLS version."""


class ResponseTimeoutError(HttpError):
    """There was a connection, but no complete response in time.

    Parameters
    ----------
    message
        What happened.
    phase
        The step that took too long.
    """

    def __init__(self, message: str, phase: Phase) -> None:
        super().__init__(message)
        self.phase = phase


class DeadlineError(HttpError):
    """The time of the invocation was over before the request's own."""

    @property
    def outcome(self) -> Outcome:
        """`WAIT`: the next invocation sends the request again."""
        return Outcome.wait(str(self))


class ProtocolError(HttpError):
    """The server sent something other than a complete, valid HTTP response."""


class ContentError(ProtocolError):
    """The body does not have the expected format."""


class TooLargeError(HttpError):
    """The body is larger than allowed.

    Parameters
    ----------
    limit
        The number of bytes that are allowed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"response body is larger than max_body_bytes ({limit})")


class RedirectError(HttpError):
    """The redirects can not be followed."""


class FunctionLimitError(HttpError, OwnLimitError):
    """The function has reached a limit of its own, which says nothing about the server."""

    permanent = True

    @property
    def outcome(self) -> Outcome:
        """`ERROR`: the request could not be sent."""
        return Outcome.error(str(self))


class RequestError(HttpError, ValueError):
    """The request is not valid."""

    permanent = True


class ForbiddenAddressError(HttpError):
    """The address guard refuses the address, or its configuration has a mistake."""

    permanent = True
