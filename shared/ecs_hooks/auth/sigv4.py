"""AWS Signature Version 4, with the credentials of the function's role or of a role that it assumes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from botocore.auth import UNSIGNED_PAYLOAD, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.auth.secret_store import with_resource
from ecs_hooks.aws.call import call_aws, parsing
from ecs_hooks.aws.errors import FactError, invalid_response
from ecs_hooks.core import clock
from ecs_hooks.http.request import with_defaults

if TYPE_CHECKING:
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.url import Url

ASSUME_ROLE = "sts:AssumeRole"
SESSION_NAME = "ecs-hooks"
"""Name of the session in CloudTrail."""

SESSION_SECONDS = 900
"""Validity of the credentials: the shortest that STS allows."""
_RENEW_BEFORE = 300
"""Seconds before their expiry at which credentials are renewed: AWS accepts a signature for five minutes."""
_ASSUME_ROLE_HINT = "as AssumedRoleArns of the stack does, and the function's role in that role's trust policy"
_PRINTABLE = re.compile(r"[!-~]+")
"""Text that is valid in a header, as all AWS credentials are."""

_LATTICE = "vpc-lattice-svcs"
"""VPC Lattice accepts no signed body: "You must send an `x-amz-content-sha256` header with the value set to
UNSIGNED-PAYLOAD" (VPC Lattice user guide)."""

_SINGLE_ENCODED = {_LATTICE, "s3", "s3-object-lambda", "s3-outposts", "s3express"}
"""Services whose canonical path is URI-encoded once and not normalized."""

_SIGNED_HEADERS = re.compile(r"(host|content-type|x-amz-.*)$", re.IGNORECASE)

_REUSE_SECONDS = 60.0
"""How long a signature is reused for the same request; AWS accepts it for five minutes."""

cached_roles: Cache[tuple[str | None, str, str], ReadOnlyCredentials] = Cache()
"""Credentials of assumed roles, by AWS endpoint, region and role."""


def assume_role(role_arn: str, region: str) -> ReadOnlyCredentials:
    """Return credentials of a role, which are valid in all regions; STS is called in this one.

    Raises
    ------
    FactError
        If the role cannot be assumed; `FactDeniedError` if a retry cannot help.
    """

    def find() -> Kept[ReadOnlyCredentials]:
        try:
            response = call_aws(
                ASSUME_ROLE,
                region,
                RoleArn=role_arn,
                RoleSessionName=SESSION_NAME,
                DurationSeconds=SESSION_SECONDS,
            )
            with parsing(ASSUME_ROLE):
                keys = [response["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
            if not all(map(_PRINTABLE.fullmatch, keys)):
                raise invalid_response(ASSUME_ROLE)
        except FactError as error:
            raise with_resource(error, role_arn, _ASSUME_ROLE_HINT) from error
        return Kept(ReadOnlyCredentials(*keys), SESSION_SECONDS - _RENEW_BEFORE)

    return cached_roles.get((os.environ.get("AWS_ENDPOINT_URL"), region, role_arn), find)


class _SingleEncodedAuth(SigV4Auth):  # type: ignore[misc] # botocore ships no types
    def _normalize_url_path(self, path: str) -> str:
        return path


class _Signed(NamedTuple):
    request: Request
    signed: Request
    at: float


class Signer:
    """Signs requests: method, URL, body, and the headers that no proxy changes.

    Parameters
    ----------
    service, region
        Scope of the signature.
    find_keys
        Returns the current credentials: `access_key`, `secret_key` and `token`.
    redactor
        Masks the signature and the session token.
    """

    def __init__(self, service: str, region: str, find_keys: Callable[[], Any], redactor: Redactor) -> None:
        self._service = service
        self._region = region
        self._find_keys = find_keys
        self._redactor = redactor
        self._last: _Signed | None = None

    def sign(self, request: Request) -> Request:
        """Return a request with its signature; raise `FactError` if there are no credentials."""
        last, now = self._last, clock.now()
        if last is None or last.request != request or not 0 <= now - last.at < _REUSE_SECONDS:
            self._last = last = _Signed(request, self._signed(request), now)
        return last.signed

    def _signed(self, request: Request) -> Request:
        url = _canonical(request.url)
        digest = UNSIGNED_PAYLOAD if self._service == _LATTICE else sha256(request.body or b"").hexdigest()
        own = {name: value for name, value in request.headers.items() if _SIGNED_HEADERS.match(name)}
        headers = with_defaults({"X-Amz-Content-SHA256": digest}, with_defaults(own, {"Host": url.authority}))
        ready = AWSRequest(request.method, f"{url.scheme}://{url.authority}{url.target}", headers, request.body)
        keys = self._find_keys()
        signer = _SingleEncodedAuth if self._service in _SINGLE_ENCODED else SigV4Auth
        signer(keys, self._service, self._region).add_auth(ready)
        signed = dict(ready.headers.items())
        self._redactor.add(signed["Authorization"].rpartition("Signature=")[2])
        self._redactor.add(keys.token or "")
        return request._replace(url=url, headers=with_defaults(signed, request.headers))


def _canonical(url: Url) -> Url:
    """Return a URL in its canonical spelling: everything encoded but letters, digits and -_.~."""
    path, question, query = url.target.partition("?")
    segments = [quote(unquote_to_bytes(segment), safe="-_.~") for segment in path.split("/")]
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    parameters = [f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs]
    return url._replace(target="/".join(segments) + question + "&".join(parameters))


def _encoded(text: str) -> str:
    return quote(unquote_plus(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")
