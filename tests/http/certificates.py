"""The TLS side of servers, good and bad, by name."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings

import trustme

from tests.http.fixtures import server_context


def context_named(name: str, authority: trustme.CA) -> ssl.SSLContext:
    """Return the settings of a server at 127.0.0.1, with a certificate of this authority unless it is about that."""
    match name:
        case "self-signed":
            return server_context(trustme.CA().issue_cert("127.0.0.1"))
        case "other host":
            return server_context(authority.issue_cert("other.example"))
        case "expired":
            return server_context(authority.issue_cert("127.0.0.1", not_before=_year(2000), not_after=_year(2001)))
        case "future":
            return server_context(authority.issue_cert("127.0.0.1", not_before=_year(2400), not_after=_year(2401)))
    context = server_context(authority.issue_cert("127.0.0.1"))
    match name:
        case "old":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL itself takes these versions for insecure
        case "other ciphers":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AES128-SHA")
        case "client certificate":
            context.verify_mode = ssl.CERT_REQUIRED
    return context


def _year(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)
