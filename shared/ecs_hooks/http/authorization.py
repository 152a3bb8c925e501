"""What a request proves its sender with. It belongs to one origin, and does not go along to another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from ecs_hooks.http.request import with_defaults
from ecs_hooks.http.url import encode_query

if TYPE_CHECKING:
    from ecs_hooks.http.client_certificate import ClientCertificate
    from ecs_hooks.http.request import Request


class Authorization(NamedTuple):
    """Credentials of a request.

    Parameters
    ----------
    headers, query
        Headers and parameters that are or hold credentials.
    certificate
        The certificate of a connection, with its key.
    sign
        Returns the request with what proves its sender just now, such as a signature.
    """

    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    certificate: ClientCertificate | None = None
    sign: Callable[[Request], Request] | None = None

    def authorize(self, request: Request) -> Request:
        """Return a request with the credentials in it."""
        path, _, query = request.url.target.partition("?")
        # A redirect may have brought a parameter back.
        given = parse_qs(query, keep_blank_values=True)
        added = encode_query({name: value for name, value in self.query.items() if name not in given})
        target = f"{path}?{'&'.join(filter(None, (query, added)))}" if added else request.url.target
        headers = with_defaults(self.headers, request.headers)
        ready = request._replace(url=request.url._replace(target=target), headers=headers)
        return ready if self.sign is None else self.sign(ready)
