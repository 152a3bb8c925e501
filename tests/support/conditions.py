"""Requests, and conditions of listener rules as DescribeRules returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecs_hooks.deployment.rule_matching import Condition, Match, Sent, match_rule
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url


def host(*values: str, **more: Any) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values), **more}}


def path(*values: str, **more: Any) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values), **more}}


def header(name: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values), **more}}


def query(*pairs: tuple[str, str] | str) -> dict[str, Any]:
    values = [{"Value": each} if isinstance(each, str) else {"Key": each[0], "Value": each[1]} for each in pairs]
    return {"Field": "query-string", "QueryStringConfig": {"Values": values}}


def methods(*values: str) -> dict[str, Any]:
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(values)}}


def source_ip(*values: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def regex(condition: dict[str, Any]) -> dict[str, Any]:
    """Return a condition whose values are regular expressions."""
    (name,) = (each for each in condition if each.endswith("Config"))
    config = dict(condition[name])
    config["RegexValues"] = config.pop("Values")
    return {**condition, name: config}


def request(target: str = "/", method: str = "GET", *, body: bytes | None = None, **headers: str) -> Request:
    """Return a request; `_` in a header's name is `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request.build(method, Url.parse(f"http://alb.example.com{target}"), named)._replace(body=body)


def matched(conditions: Sequence[Condition], of: Request) -> Match:
    return match_rule(conditions, Sent.of(of))
