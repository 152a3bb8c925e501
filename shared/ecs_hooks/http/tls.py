"""TLS settings, made once: to load the system's certificate authorities takes tens of milliseconds."""

from __future__ import annotations

import os
import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from ecs_hooks.http.wire import WireSSLSocket

if TYPE_CHECKING:
    from ecs_hooks.http.client_certificate import ClientCertificate

_lock = threading.Lock()


def tls_context(*, verify: bool, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the TLS settings of a connection.

    Parameters
    ----------
    verify
        Whether the certificate must be valid for the host. The authorities are the system's, or those that OpenSSL's
        environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    certificate
        What the client proves itself with, where it is asked to.

    Raises
    ------
    RequestError
        If the client's certificate can't be used.
    """
    # Checks run side by side: without the lock, each of them would load the authorities.
    with _lock:
        return _context(verify, certificate, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _context(
    verify: bool,  # noqa: FBT001 - a cache key
    certificate: ClientCertificate | None,
    _file: str | None,
    _directory: str | None,
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certificate is not None:
        certificate.load_into(context)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = WireSSLSocket
    return context
