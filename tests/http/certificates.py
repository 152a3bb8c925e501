"""The TLS side of servers, good and bad, by name."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from ipaddress import ip_address
from tempfile import NamedTemporaryFile

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.http.fixtures import server_context


def context_named(name: str, authority: trustme.CA) -> ssl.SSLContext:
    """Return the settings of a server at 127.0.0.1, with a certificate of this authority unless it is about that."""
    match name:
        case "unknown authority":
            return server_context(trustme.CA().issue_cert("127.0.0.1"))
        case "self-signed":
            return _self_signed()
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


def _self_signed() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), _year(2000), _year(2400))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.write(certificate.public_bytes(Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _year(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)
