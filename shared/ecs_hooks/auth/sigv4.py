"""AWS Signature Version 4, with the credentials of the function's role or another."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from botocore.auth import UNSIGNED_PAYLOAD, SigV4Auth
from botocore.awsrequest import AWSRequest

from ecs_hooks.core import clock
from ecs_hooks.http.request import with_defaults

if TYPE_CHECKING:
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.url import Url

_LATTICE = "vpc-lattice-svcs"
"""VPC Lattice takes no signed body: "You must send an `x-amz-content-sha256` header with the value set to UNSIGNED-PAYLOAD"
(VPC Lattice user guide)."""

_AS_WRITTEN = {_LATTICE, "s3", "s3-object-lambda", "s3-outposts", "s3express"}
"""Services for which a path is encoded once, and signed as it is."""

_SIGNED = re.compile(r"(host|content-type|x-amz-.*)$", re.IGNORECASE)

_SECONDS = 60.0
"""How long a signature is used again for the same request; AWS takes it for five minutes."""


class _AsWritten(SigV4Auth):  # type: ignore[misc] # botocore ships no types
    def _normalize_url_path(self, path: str) -> str:
        return path


class _Signed(NamedTuple):
    request: Request
    signed: Request
    at: float


class Signer:
    """Signs requests: method, address, body, and the headers that signatures need.

    Parameters
    ----------
    service, region
        What the signature is for.
    find_keys
        Returns the credentials that it is made with, as they are now: `access_key`, `secret_key` and `token`.
    redactor
        Learns the signature, and the token of the session.
    """

    def __init__(self, service: str, region: str, find_keys: Callable[[], Any], redactor: Redactor) -> None:
        self._service = service
        self._region = region
        self._find_keys = find_keys
        self._redactor = redactor
        self._last: _Signed | None = None

    def sign(self, request: Request) -> Request:
        """Return a request with its signature.

        Raises
        ------
        FactError
            If the credentials can't be had.
        """
        last, now = self._last, clock.now()
        if last is None or last.request != request or not 0 <= now - last.at < _SECONDS:
            self._last = last = _Signed(request, self._signed(request), now)
        return last.signed

    def _signed(self, request: Request) -> Request:
        url = _canonical(request.url)
        digest = UNSIGNED_PAYLOAD if self._service == _LATTICE else sha256(request.body or b"").hexdigest()
        # Of the headers those alone are signed that nobody changes on the way.
        own = {name: value for name, value in request.headers.items() if _SIGNED.match(name)}
        headers = with_defaults({"X-Amz-Content-SHA256": digest}, with_defaults(own, {"Host": url.authority}))
        ready = AWSRequest(request.method, f"{url.scheme}://{url.authority}{url.target}", headers, request.body)
        keys = self._find_keys()
        signer = _AsWritten if self._service in _AS_WRITTEN else SigV4Auth
        signer(keys, self._service, self._region).add_auth(ready)
        signed = dict(ready.headers.items())
        self._redactor.add(signed["Authorization"].rpartition("Signature=")[2])
        self._redactor.add(keys.token or "")
        return request._replace(url=url, headers=with_defaults(signed, request.headers))


def _canonical(url: Url) -> Url:
    """Return an address in the one spelling that both sides sign: everything but letters, digits and -_.~ encoded."""
    path, question, query = url.target.partition("?")
    segments = [quote(unquote_to_bytes(segment), safe="-_.~") for segment in path.split("/")]
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    parameters = [f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs]
    return url._replace(target="/".join(segments) + question + "&".join(parameters))


def _encoded(text: str) -> str:
    return quote(unquote_plus(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")
