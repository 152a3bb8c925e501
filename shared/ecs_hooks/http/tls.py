"""TLS: settings, client certificates, and the details of a connection."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ecs_hooks.core.own_limits import has_no_descriptor, out_of_descriptors
from ecs_hooks.http.errors import FunctionLimitError, RequestError
from ecs_hooks.http.limits import Trust

_lock = threading.Lock()


class ClientCertificate(NamedTuple):
    """The certificate and key of a client (mutual TLS).

    Parameters
    ----------
    certificate
        PEM of the certificate, followed by its intermediate certificates.
    private_key
        PEM of its key, without a passphrase.
    """

    certificate: str
    private_key: str

    def load_into(self, context: ssl.SSLContext) -> None:
        """Use the certificate in these TLS settings.

        Raises
        ------
        RequestError
            If certificate or key are not valid, or do not match.
        """
        try:
            with _file(self.certificate) as certificate, _file(self.private_key) as key:
                context.load_cert_chain(certificate, key, password=_no_passphrase)
        except _EncryptedError:
            raise RequestError(
                "the client certificate can't be used: its key is encrypted; store it without a passphrase"
            ) from None
        except (ssl.SSLError, ValueError) as error:
            why = ssl_reason(error) if isinstance(error, ssl.SSLError) and error.reason else "not valid pem"
            raise RequestError(f"the client certificate can't be used: {why}") from None

    def __repr__(self) -> str:
        """Return no part of it: a key must not be shown by accident."""
        return "ClientCertificate(***)"


class TlsOptions(NamedTuple):
    """Options of one TLS connection.

    Parameters
    ----------
    server_name
        The name that the server's certificate must be valid for.
    trust
        Other requirements for the server.
    certificate
        The client's certificate, if the server requests one.
    protocols
        ALPN protocol names (RFC 7301) to offer; empty for none.
    """

    server_name: str
    trust: Trust
    certificate: ClientCertificate | None = None
    protocols: tuple[str, ...] = ()


class Certificate(NamedTuple):
    """A certificate that is valid.

    Parameters
    ----------
    subject, issuer
        Distinguished names, such as `commonName=example.com, organizationName=Example`.
    not_before, not_after
        Start and end of its validity, in seconds since the epoch.
    serial_number
        In hexadecimal digits.
    alternative_names
        The names and addresses that it is valid for.
    """

    subject: str
    issuer: str
    not_before: float
    not_after: float
    serial_number: str
    alternative_names: tuple[str, ...]

    @property
    def expires_in_days(self) -> float:
        """Days until it expires."""
        return (self.not_after - time.time()) / 86_400


class Tls(NamedTuple):
    """The TLS details of a connection.

    Parameters
    ----------
    version
        Such as `TLSv1.3`.
    certificate
        The server's; None if it was not verified (`verify_tls` is false).
    """

    version: str
    certificate: Certificate | None = None

    @classmethod
    def of(cls, connected: ssl.SSLSocket) -> Tls:
        """Return the details of a connection after its handshake."""
        details: Mapping[str, Any] = connected.getpeercert() or {}
        return cls(connected.version() or "", _certificate(details) if details else None)


def ssl_reason(error: ssl.SSLError) -> str:
    """Return OpenSSL's reason for an error, such as `tlsv1 alert unknown ca`."""
    return (error.reason or "unknown").lower().replace("_", " ")


def authorities_problem(pem: str) -> str | None:
    """Return why a text is not PEM of certificates, None if it is. The text is not repeated."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):
        return "must be PEM of certificates, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    return None


def tls_context(
    trust: Trust,
    certificate: ClientCertificate | None = None,
    protocols: tuple[str, ...] = (),
    *,
    checks_name: bool = True,
) -> ssl.SSLContext:
    """Return TLS settings, made once: loading the system's certificate authorities takes tens of milliseconds.

    Parameters
    ----------
    trust
        Requirements for the server's side.
    certificate
        The client's certificate.
    protocols
        ALPN protocol names to offer.
    checks_name
        Whether OpenSSL compares the name with the certificate; else the caller does, by `is_valid_for`.

    Raises
    ------
    RequestError
        If the client's certificate, or those of the authorities, can't be used.
    """
    # Checks run side by side: without the lock, each of them would load the authorities.
    with _lock:
        authorities = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        return _context(trust, certificate, protocols, authorities, checks_name=checks_name)


@lru_cache(maxsize=8)
def _context(
    trust: Trust,
    certificate: ClientCertificate | None,
    protocols: tuple[str, ...],
    _authorities: tuple[str | None, str | None],
    *,
    checks_name: bool,
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # RFC 9525, section 2: subjectAltName alone, as in browsers
    context.check_hostname = checks_name
    if protocols:
        context.set_alpn_protocols(protocols)
    if certificate is not None:
        certificate.load_into(context)
    if trust.ca_certificates:
        problem = authorities_problem(trust.ca_certificates)
        if problem:
            raise RequestError(f"ca_certificates {problem}")
        context.load_verify_locations(cadata=trust.ca_certificates)
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if has_no_descriptor():  # OpenSSL skips files that it can't open, and these settings would be kept
        raise FunctionLimitError(out_of_descriptors())
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if trust.min_version == "1.3" else ssl.TLSVersion.TLSv1_2
    return context


def is_valid_for(connected: ssl.SSLSocket, name: str) -> bool:
    """Return whether the server's certificate is valid for a DNS name, by `subjectAltName` (RFC 9525, section 6.3).

    For names with underscores, which OpenSSL does not compare with wildcards.
    """
    details: Mapping[str, Any] = connected.getpeercert() or {}
    accepted = {name.lower()}
    parent = name.lower().partition(".")[2]
    if "." in parent:
        accepted.add(f"*.{parent}")
    return any(kind == "DNS" and value.lower() in accepted for kind, value in details.get("subjectAltName", ()))


def _certificate(details: Mapping[str, Any]) -> Certificate:
    return Certificate(
        subject=_name(details["subject"]),
        issuer=_name(details["issuer"]),
        not_before=ssl.cert_time_to_seconds(details["notBefore"]),
        not_after=ssl.cert_time_to_seconds(details["notAfter"]),
        serial_number=details["serialNumber"],
        alternative_names=tuple(str(value) for _, value in details.get("subjectAltName", ())),
    )


def _name(parts: Any) -> str:
    return ", ".join(f"{key}={value}" for part in parts for key, value in part)


class _EncryptedError(Exception):
    """The key is encrypted."""


def _no_passphrase() -> bytes:
    """Refuse to give a passphrase: OpenSSL would prompt for it at a terminal, and wait."""
    raise _EncryptedError


@contextmanager
def _file(text: str) -> Iterator[str]:
    """Return the path of a file with this text, which ssl requires: in memory where the system supports it."""
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
    """Return the path of a file that only its owner can read, and that is deleted afterwards."""
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        yield path
    finally:
        Path(path).unlink()
