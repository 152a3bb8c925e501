"""The certificate with which a client proves who it is (mutual TLS)."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ecs_hooks.http.errors import RequestError


class ClientCertificate(NamedTuple):
    """A certificate and its key.

    Parameters
    ----------
    certificate
        PEM of the certificate, and of those between it and the authority.
    private_key
        PEM of its key, without a passphrase.
    """

    certificate: str
    private_key: str

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have connections with these TLS settings prove who they are.

        Raises
        ------
        RequestError
            If they are none, or do not belong together.
        """
        try:
            with _file(self.certificate) as certificate, _file(self.private_key) as key:
                context.load_cert_chain(certificate, key, password=_no_passphrase)
        except _EncryptedError:
            message = (
                "the client certificate can't be used: its key is encrypted, and has to be kept without a passphrase"
            )
            raise RequestError(message) from None
        except (ssl.SSLError, ValueError) as error:
            why = getattr(error, "reason", None) or "not valid PEM"
            message = f"the client certificate can't be used: {why.lower().replace('_', ' ')}"
            raise RequestError(message) from None

    def __repr__(self) -> str:
        """Return that it is there: a key must not be shown by accident."""
        return "ClientCertificate(***)"


class _EncryptedError(Exception):
    """The key is encrypted."""


def _no_passphrase() -> bytes:
    """Say that there is none: OpenSSL would ask for it at a terminal, and wait."""
    raise _EncryptedError


@contextmanager
def _file(text: str) -> Iterator[str]:
    """Lend a text as a file, since ssl takes no other: in memory, where the system has such files."""
    if not hasattr(os, "memfd_create"):
        with _file_on_disk(text) as path:
            yield path
        return
    descriptor = os.memfd_create("ecs-hooks")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def _file_on_disk(text: str) -> Iterator[str]:
    """Lend a text as a file that only its owner can read, and that is gone afterwards."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        yield path
    finally:
        Path(path).unlink()
