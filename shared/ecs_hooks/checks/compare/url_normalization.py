"""Addresses in responses that are the application's own: blue and green are asked at different ones."""

from __future__ import annotations

import re
from collections.abc import Callable

from ecs_hooks.http.request import Request

OWN = "{origin}"
"""What stands for the address at which the application was asked."""

Rewrite = Callable[[str], str]


def rewrites(blue: Request, green: Request, blue_prefix: str, green_prefix: str) -> tuple[Rewrite, Rewrite]:
    """Return what takes blue's own address out of a text of blue, and green's out of one of green.

    Where both are asked at the same address there is nothing to take out: a difference in it is the application's.

    Parameters
    ----------
    blue, green
        The same request to both.
    blue_prefix, green_prefix
        What the paths of all requests begin with there; empty where there is nothing.
    """
    if (blue.url.origin, blue.server_name, blue_prefix) == (green.url.origin, green.server_name, green_prefix):
        return _as_it_is, _as_it_is
    return _without(blue, blue_prefix), _without(green, green_prefix)


def _as_it_is(text: str) -> str:
    return text


def _without(request: Request, prefix: str) -> Rewrite:
    names = "|".join(sorted({re.escape(request.server_name), re.escape(request.url.host)}))
    # The application may know its address by the Host header, or by what the load balancer says of protocol and port.
    own = re.compile(rf"(?:\b(?:https?|wss?):)?//\[?(?:{names})\]?(?::\d+)?(?![\w.:-])", re.IGNORECASE)
    front = re.compile(rf"(^|{re.escape(OWN)}){re.escape(prefix)}(?=[/?#]|$)") if prefix else None

    def rewrite(text: str) -> str:
        if "//" in text:
            text = own.sub(OWN, text)
        return front.sub(r"\1", text) if front is not None else text

    return rewrite
