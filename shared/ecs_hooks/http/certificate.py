"""What a TLS connection tells of itself."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple


class Certificate(NamedTuple):
    """A certificate that was found valid.

    Parameters
    ----------
    subject, issuer
        Distinguished names, such as `commonName=example.com, organizationName=Example`.
    not_before, not_after
        Since and until when it is valid, in seconds since the epoch.
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
        """Days until it is not valid any more."""
        return (self.not_after - time.time()) / 86_400


class Tls(NamedTuple):
    """The TLS side of a connection.

    Parameters
    ----------
    version
        Such as `TLSv1.3`.
    certificate
        The server's; None where nobody has examined it (`verify_tls` is false).
    """

    version: str
    certificate: Certificate | None = None


def tls_of(connected: object) -> Tls | None:
    """Return what a socket tells; None where it speaks no TLS."""
    if not isinstance(connected, ssl.SSLSocket):
        return None
    told: Mapping[str, Any] = connected.getpeercert() or {}
    return Tls(connected.version() or "", _certificate(told) if told else None)


def _certificate(told: Mapping[str, Any]) -> Certificate:
    return Certificate(
        subject=_name(told["subject"]),
        issuer=_name(told["issuer"]),
        not_before=ssl.cert_time_to_seconds(told["notBefore"]),
        not_after=ssl.cert_time_to_seconds(told["notAfter"]),
        serial_number=told["serialNumber"],
        alternative_names=tuple(str(value) for _, value in told.get("subjectAltName", ())),
    )


def _name(parts: Any) -> str:
    return ", ".join(f"{key}={value}" for part in parts for key, value in part)
