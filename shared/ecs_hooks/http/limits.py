"""The limits of one request: time, size, redirects, and the TLS of the server."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.errors import ConnectTimeoutError, DeadlineError, HttpError, Phase, ResponseTimeoutError

MinVersion = Literal["1.2", "1.3"]
"""The oldest TLS version that is accepted. TLS 1.0 and 1.1 are deprecated (RFC 8996)."""


class Trust(NamedTuple):
    """Requirements for the server's side of a TLS connection.

    Parameters
    ----------
    verify
        Whether its certificate must be valid for the host. The authorities are the system's, or those in OpenSSL's
        environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    ca_certificates
        PEM of additional authorities; empty for none.
    min_version
        The oldest TLS version that is accepted.
    """

    verify: bool = True
    ca_certificates: str = ""
    min_version: MinVersion = "1.2"


class Limits(NamedTuple):
    """Limits of one request.

    Parameters
    ----------
    timeout_seconds
        Time for one attempt: DNS lookup, connection, TLS, request, and response to its last byte, with all redirects.
    connect_retries
        Further attempts if there is no connection, or if it ends before the first byte of a response.
    follow_redirects
        Whether redirects are followed.
    max_redirects
        How many redirects are followed.
    max_body_bytes
        Size of the largest response body, after decoding.
    verify_tls
        Whether the certificate must be valid.
    ca_certificates
        PEM of authorities in addition to the system's; empty for none.
    min_tls_version
        The oldest TLS version that is accepted.
    keep_body
        Whether the response has the body. If not, the body is read to its end and dropped.
    first_bytes
        The bytes of the body that are read, if it may have no end; None to read it all.
    """

    timeout_seconds: float = 10.0
    connect_retries: int = 3
    follow_redirects: bool = False
    max_redirects: int = 10
    max_body_bytes: int = 1_048_576
    verify_tls: bool = True
    ca_certificates: str = ""
    min_tls_version: MinVersion = "1.2"
    keep_body: bool = True
    first_bytes: int | None = None

    @property
    def trust(self) -> Trust:
        """Requirements for the server's side of a TLS connection."""
        return Trust(self.verify_tls, self.ca_certificates, self.min_tls_version)


class Budget(NamedTuple):
    """The time of one attempt, from the DNS lookup to the last byte. The earlier of two deadlines counts.

    Parameters
    ----------
    seconds
        Length of the attempt: `timeout_seconds`.
    attempt
        When the attempt ends.
    invocation
        When the whole invocation ends.
    """

    seconds: float
    attempt: Deadline
    invocation: Deadline

    @classmethod
    def start(cls, seconds: float, invocation: Deadline) -> Budget:
        """Return the budget of an attempt that begins now."""
        return cls(seconds, Deadline.after(seconds), invocation)

    @property
    def deadline(self) -> Deadline:
        """The earlier of the two."""
        return min(self.attempt, self.invocation)

    def timeout(self, phase: Phase) -> HttpError:
        """Return the error for a timeout in this phase."""
        if self.invocation <= self.attempt:
            return DeadlineError(f"{phase} when the time of this invocation was over")
        message = f"{phase} within {self.seconds:g} s (timeout_seconds)"
        if phase in {Phase.RESOLVE, Phase.CONNECT, Phase.TLS}:
            return ConnectTimeoutError(message)
        return ResponseTimeoutError(message, phase)
