"""Where a listener, or one of its rules, is met: its address, and what a request has to be like."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecs_hooks.deployment.conditions import UnderivableError, needed
from ecs_hooks.deployment.endpoint import OVERRIDE, Endpoint, EndpointError
from ecs_hooks.deployment.listener import short

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Address, Route

_WEB = {"HTTP": "http", "HTTPS": "https", "TCP": "http", "TLS": "https"}
"""Protocols of listeners that a web server can be behind. Whether TCP carries TLS is not to be seen at the listener."""


def derived_endpoint(
    route: Route,
    find_address: Callable[[], Address],
    arn: str,
    host: str = "",
    override: str = OVERRIDE,
    *,
    whose: str = "green",
    host_field: str = "hookDetails.host",
) -> Endpoint:
    """Return the address at which a request meets a listener (rule), whomever that leads to.

    Parameters
    ----------
    route
        The conditions of the rule.
    find_address
        Asks for protocol, port and host name of its listener.
    arn
        The rule or listener, for messages.
    host
        `Host` that the plan gives, for which a certificate is valid; empty where it gives none.
    override
        What to do where the address can't be derived.
    whose
        Whose address it is.
    host_field
        What gives a name of its own.

    Raises
    ------
    EndpointError
        If it is not clear what such a request has to be like.
    """
    try:
        need = needed(route.conditions, host)
    except UnderivableError as error:
        raise EndpointError(f"the address of {whose} can't be derived from {short(arn)}: {error}", override) from None
    listener = find_address()
    scheme = _WEB.get(listener.protocol)
    if scheme is None:
        raise EndpointError(f"{short(arn)} speaks {listener.protocol}, not HTTP", override)
    if scheme == "https" and not need.host and not host:
        raise EndpointError(
            f"{short(arn)} speaks TLS, and its certificate is not made for {listener.host}",
            f"set {host_field} to the name it is made for",
        )
    headers = {**need.headers, **({"Host": need.host} if need.host else {})}
    base_url = f"{scheme}://{listener.host}:{listener.port}{need.prefix}"
    return Endpoint(base_url, headers, need.query, need.methods, "" if need.host else host, protocol=listener.protocol)
