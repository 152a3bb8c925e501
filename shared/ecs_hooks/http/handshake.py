"""The TLS handshake, and what can go wrong in it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from ecs_hooks.http.errors import CertificateError, HttpError, Phase, TlsHandshakeError, TlsVersionError

if TYPE_CHECKING:
    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.wire import WireSocket, WireSSLSocket

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


def secured(raw: WireSocket, context: ssl.SSLContext, server_name: str, budget: Budget) -> WireSSLSocket:
    """Return a TLS connection over one that is open; that one is closed where there is none.

    Parameters
    ----------
    raw
        The connection.
    context
        What TLS has to be like.
    server_name
        The name that the certificate must be valid for.
    budget
        The time for it.

    Raises
    ------
    HttpError
        If the handshake fails.
    """
    # No certificate has the dot that ends a name which is complete.
    name = server_name.rstrip(".")
    to_close: WireSocket | WireSSLSocket = raw
    try:
        opened: WireSSLSocket = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)  # type: ignore[assignment] # see tls_context
        to_close = opened
        opened.wire = raw.wire
        opened.shake_hands()
    except OSError as error:
        to_close.close()
        raise _handshake_error(error, budget, server_name) from error
    return opened


def _handshake_error(error: Exception, budget: Budget, server_name: str) -> HttpError:
    """Return what an exception of a handshake means."""
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
