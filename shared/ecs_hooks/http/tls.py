"""TLS settings, made once: to load the system's certificate authorities takes tens of milliseconds."""

from __future__ import annotations

import os
import ssl
import threading
from functools import lru_cache

from ecs_hooks.http.wire import WireSSLSocket

_lock = threading.Lock()


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return the TLS settings of a connection.

    Parameters
    ----------
    verify
        Whether the certificate must be valid for the host. The authorities are the system's, or those that OpenSSL's
        environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    """
    # Checks run side by side: without the lock, each of them would load the authorities.
    with _lock:
        return _context(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _context(verify: bool, _file: str | None, _directory: str | None) -> ssl.SSLContext:  # noqa: FBT001 - a cache key
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = WireSSLSocket
    return context
