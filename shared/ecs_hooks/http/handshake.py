"""What can go wrong in a TLS handshake."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from ecs_hooks.http.errors import CertificateError, HttpError, Phase, TlsHandshakeError, TlsVersionError

if TYPE_CHECKING:
    from ecs_hooks.http.budget import Budget

_OTHER_VERSION = {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"}
"""How OpenSSL calls that a server speaks other versions alone: as the server says it, and as the client finds out."""


def check_server_name(name: str) -> None:
    """Refuse a name that no certificate can bear.

    Raises
    ------
    CertificateError
        If it is one.
    """
    try:
        name.encode("idna")
    except UnicodeError:
        message = f"no certificate can be valid for {name[:80]}"
        raise CertificateError(message) from None


def handshake_error(error: Exception, budget: Budget, server_name: str) -> HttpError:
    """Return what an exception of a handshake means.

    Parameters
    ----------
    error
        The exception.
    budget
        The time that there was.
    server_name
        The name that the certificate must be valid for.
    """
    match error:
        case TimeoutError():
            return budget.timeout(Phase.TLS)
        case ssl.SSLCertVerificationError():
            return CertificateError(f"certificate is not valid for {server_name}: {error.verify_message}")
        case ssl.SSLError() if error.reason in _OTHER_VERSION:
            return TlsVersionError("the server speaks no version of TLS that it may (min_tls_version)")
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
            return TlsHandshakeError(f"TLS handshake failed: {(error.reason or 'unknown').lower().replace('_', ' ')}")
        case _:
            return TlsHandshakeError("connection ended in the TLS handshake")
