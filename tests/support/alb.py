"""An Application Load Balancer's documented matching of rules, written as simply as possible, and random rules and requests."""

from __future__ import annotations

import random
import re
from typing import Any
from urllib.parse import unquote

from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from tests.support.conditions import header, host, methods, path, query


def wildcards_match(pattern: str, text: str, *, escapes: bool = False) -> bool:
    """Return whether a text matches a pattern, character by character."""
    tokens: list[tuple[str, bool]] = []
    position = 0
    while position < len(pattern):
        if escapes and pattern[position] == "\\" and pattern[position + 1 : position + 2] in {"*", "?", "\\"}:
            tokens.append((pattern[position + 1], True))
            position += 2
        else:
            tokens.append((pattern[position], pattern[position] not in "*?"))
            position += 1
    ends = {0}
    for token, is_literal in tokens:
        if is_literal:
            ends = {end + 1 for end in ends if text[end : end + 1] == token}
        elif token == "?":
            ends = {end + 1 for end in ends if end < len(text)}
        else:
            ends = set(range(min(ends), len(text) + 1)) if ends else set()
    return len(text) in ends


def reference_matches(condition: dict[str, Any], of: Request) -> bool:
    """Return whether a request matches a condition with values and wildcards."""
    field = condition["Field"]
    (config,) = (value for name, value in condition.items() if name.endswith("Config"))
    target, _, sent = of.url.target.partition("?")
    match field:
        case "host-header":
            return any(wildcards_match(each.lower(), (of.host or of.url.host).lower()) for each in config["Values"])
        case "path-pattern":
            return any(wildcards_match(each, target) for each in config["Values"])
        case "http-header":
            values = [v for name, v in of.headers.items() if name.lower() == config["HttpHeaderName"].lower()]
            return any(wildcards_match(each.lower(), v.lower()) for each in config["Values"] for v in values)
        case "http-request-method":
            return of.method in config["Values"]
        case _:
            pairs = [unquote(each).lower().split("=") for each in sent.split("&") if each]
            return any(
                wildcards_match(each.get("Key", "*").lower(), name, escapes=True)
                and wildcards_match(each["Value"].lower(), value, escapes=True)
                for each in config["Values"]
                for name, value in pairs
            )


def _some(draw: random.Random, letters: str, most: int = 4) -> str:
    return "".join(draw.choice(letters) for _ in range(draw.randint(1, most)))


def some_condition(draw: random.Random) -> dict[str, Any]:
    """Return a condition that matches some of the requests."""
    count = draw.randint(1, 3)
    match draw.randrange(5):
        case 0:
            return host(*(f"{_some(draw, 'aB*?')}.b" for _ in range(count)))
        case 1:
            return path(*(f"/{_some(draw, 'aB*?/[')}" for _ in range(count)))
        case 2:
            return header(draw.choice(["X-A", "x-b", "Accept"]), *(_some(draw, "aB*?/[ ") for _ in range(count)))
        case 3:
            keys = ["", "a", "B*", "?"]
            pairs = ((draw.choice(keys), _some(draw, "aB*?\\[")) for _ in range(count))
            return query(*((key, value) if key else value for key, value in pairs))
        case _:
            return methods(*draw.sample(["GET", "POST", "get", "HEAD"], count))


def some_request(draw: random.Random) -> Request:
    """Return a request that matches some of the conditions."""
    # Without empty segments: URI normalization may remove them.
    target = re.sub("//+", "/", f"/{_some(draw, 'aBb/[')}")
    if draw.random() < 0.7:
        target += "?" + "&".join(f"{_some(draw, 'abB', 2)}={_some(draw, 'aBb*', 3)}" for _ in range(draw.randint(1, 2)))
    headers = {name: _some(draw, "aBb/ ").strip() for name in ("X-A", "X-B", "Accept") if draw.random() < 0.5}
    if draw.random() < 0.7:
        headers["Host"] = f"{_some(draw, 'aBb')}.b"
    return Request.build(draw.choice(["GET", "POST", "HEAD"]), Url.parse(f"http://alb.example.com{target}"), headers)
