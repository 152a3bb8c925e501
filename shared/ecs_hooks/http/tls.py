"""TLS settings, made once: to load the system's certificate authorities takes tens of milliseconds."""

from __future__ import annotations

import os
import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.wire import WireSSLSocket

if TYPE_CHECKING:
    from ecs_hooks.http.client_certificate import ClientCertificate

MinVersion = Literal["1.2", "1.3"]
"""The oldest version of TLS that is spoken; those before 1.2 are none any more (RFC 8996)."""

_lock = threading.Lock()


class Trust(NamedTuple):
    """What the other side of a TLS connection must be like.

    Parameters
    ----------
    verify
        Whether its certificate must be valid for the host. The authorities are the system's, or those that OpenSSL's
        environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    ca_certificates
        PEM of further authorities; empty where there are none.
    min_version
        The oldest version of TLS that it may speak.
    """

    verify: bool = True
    ca_certificates: str = ""
    min_version: MinVersion = "1.2"


def authorities_problem(pem: str) -> str | None:
    """Return why a text can't be the certificates of authorities, None where it can; nothing of the text is in it."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):
        return "must be PEM of certificates, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    return None


def tls_context(
    trust: Trust, certificate: ClientCertificate | None = None, protocols: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """Return the TLS settings of a connection.

    Parameters
    ----------
    trust
        What the other side must be like.
    certificate
        What the client proves itself with, where it is asked to.
    protocols
        What is to be spoken on the connection, by the names of ALPN (RFC 7301); none where nothing is said of it.

    Raises
    ------
    RequestError
        If the client's certificate, or those of the authorities, can't be used.
    """
    # Checks run side by side: without the lock, each of them would load the authorities.
    with _lock:
        authorities = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        return _context(trust, certificate, protocols, authorities)


@lru_cache(maxsize=8)
def _context(
    trust: Trust,
    certificate: ClientCertificate | None,
    protocols: tuple[str, ...],
    _authorities: tuple[str | None, str | None],
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(protocols)
    if certificate is not None:
        certificate.load_into(context)
    if trust.ca_certificates:
        problem = authorities_problem(trust.ca_certificates)
        if problem:
            message = f"ca_certificates {problem}"
            raise RequestError(message)
        context.load_verify_locations(cadata=trust.ca_certificates)
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if trust.min_version == "1.3" else ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = WireSSLSocket
    return context
