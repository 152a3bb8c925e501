"""What can go wrong with a request, told apart by what it says about the application.

    HttpError                       FAIL unless said otherwise
    ├── TransportError              no answer yet: worth another attempt, then ERROR
    │   ├── NameResolutionError     the name has no address, or the look-up failed
    │   ├── ConnectError            refused, unreachable
    │   ├── ConnectTimeoutError     no connection (TCP, TLS or name) in time
    │   ├── TlsHandshakeError       handshake broken off
    │   └── ResetBeforeResponseError
    ├── CertificateError            an answer, and a wrong one
    ├── TlsVersionError             likewise
    ├── ResponseTimeoutError        connected, but no complete response in time
    ├── DeadlineError               the invocation's time is over: WAIT
    ├── ProtocolError               what came is not (all of) an HTTP response
    │   └── ContentError            the body is not what the caller took it for, such as JSON
    ├── TooLargeError               more than `max_body_bytes`
    ├── RedirectError               a circle, too many, or to something that is not HTTP
    ├── RequestError                the request itself can't be sent
    └── ForbiddenAddressError       the address guard refuses

A status such as 500 is a response, no error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from ecs_hooks.core.outcome import ExplainedError, Outcome


class Phase(StrEnum):
    """How far a request had come, in the words that follow "within 10 s"."""

    RESOLVE = "no address for the name"
    CONNECT = "no connection"
    TLS = "TLS handshake not finished"
    SEND = "request not accepted"
    HEAD = "no complete response header"
    BODY = "response body not complete"


class HttpError(ExplainedError):
    """A request brought no usable response.

    Parameters
    ----------
    message
        What happened; no value that came from the server is in it.

    Attributes
    ----------
    where
        Method and address of the request, without credentials and query values. Empty until the request is known.
    """

    permanent: ClassVar[bool] = False
    """Whether to ask again would be pointless, even for a check that polls."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.where = ""

    def __str__(self) -> str:
        """Return the request and what happened to it."""
        return f"{self.where} {self.message}".strip()


class TransportError(HttpError):
    """There was no connection, or it ended before the first byte of a response."""

    @property
    def outcome(self) -> Outcome:
        """`ERROR`: the application could not be asked."""
        return Outcome.error(str(self))


class NameResolutionError(TransportError):
    """The name has no address, or could not be looked up."""


class ConnectError(TransportError):
    """The connection was refused, or there is no way to the address."""


class ConnectTimeoutError(TransportError):
    """There was no connection in time."""


class TlsHandshakeError(TransportError):
    """The TLS handshake failed, for another reason than the certificate."""


class ResetBeforeResponseError(TransportError):
    """The connection ended before the first byte of a response."""


class CertificateError(HttpError):
    """The certificate is not valid for the host."""


class TlsVersionError(HttpError):
    """The server speaks none of the versions of TLS that it may."""


class ResponseTimeoutError(HttpError):
    """There was a connection, but no complete response in time.

    Parameters
    ----------
    message
        What happened.
    phase
        How far the request had come.
    """

    def __init__(self, message: str, phase: Phase) -> None:
        super().__init__(message)
        self.phase = phase


class DeadlineError(HttpError):
    """The time of the invocation was over before the request's own."""

    @property
    def outcome(self) -> Outcome:
        """`WAIT`: the next invocation asks again."""
        return Outcome.wait(str(self))


class ProtocolError(HttpError):
    """What came is no HTTP response, or not all of it."""


class ContentError(ProtocolError):
    """The body is not what the caller took it for."""


class TooLargeError(HttpError):
    """The body is larger than allowed.

    Parameters
    ----------
    limit
        The bytes that were allowed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"response body is larger than max_body_bytes ({limit})")


class RedirectError(HttpError):
    """The redirects lead nowhere."""


class RequestError(HttpError, ValueError):
    """The request can't be sent as it is."""

    permanent = True


class ForbiddenAddressError(HttpError):
    """The address guard refuses the address, or its configuration has a mistake."""

    permanent = True
