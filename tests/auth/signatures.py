"""Verification of a signed request as AWS does it: compute the signature from the received request."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SESSION_TOKEN = "t0ken-of-the-session//=="
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)


class _OfAws(SigV4Auth):  # type: ignore[misc] # botocore ships no types
    """Makes the URL canonical, which botocore leaves to its caller."""

    once = False

    def canonical_query_string(self, request: Any) -> str:
        pairs = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
        return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))

    def _normalize_url_path(self, path: str) -> str:
        spelt = "/".join(quote(unquote(each), safe="-_.~") for each in path.split("/"))
        return spelt if self.once else quote(spelt, safe="/-_.~")


def problem(raw: bytes, service: str, region: str, *, once: bool = False, unsigned: bool = False) -> str:
    """Return the error in the signature of a request; empty if it is valid.

    Parameters
    ----------
    raw
        The received request.
    service, region
        Scope of the signature.
    once
        Whether the path is encoded once.
    unsigned
        Whether the body is not signed.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    found = _AUTHORIZATION.fullmatch(headers["authorization"])
    if found is None:
        return "invalid Authorization header"
    date, its_region, its_service, names, signature = found.groups()
    if (its_region, its_service, date) != (region, service, headers["x-amz-date"][:8]):
        return "signed for another scope"
    must = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if not must <= set(names.split(";")):
        return "a required header is not signed"
    if headers["x-amz-security-token"] != SESSION_TOKEN:
        return "no session token"
    digest = "UNSIGNED-PAYLOAD" if unsigned else sha256(body).hexdigest()
    if headers["x-amz-content-sha256"] != digest:
        return "the body differs from the signed one"
    signer = _OfAws(Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]), service, region)
    signer.once = once
    request = AWSRequest(
        method, f"http://{headers['host']}{target}", {name: headers[name] for name in names.split(";")}
    )
    request.context["timestamp"] = headers["x-amz-date"]
    computed = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return "" if computed == signature else "SignatureDoesNotMatch"
