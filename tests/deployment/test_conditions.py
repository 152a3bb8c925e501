from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.deployment.conditions import Needed, UnderivableError, needed


def host(*values: str, **more: Any) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values), **more}}


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def query(**pairs: str) -> dict[str, Any]:
    return {
        "Field": "query-string",
        "QueryStringConfig": {"Values": [{"Key": key, "Value": value} for key, value in pairs.items()]},
    }


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], Needed()),
        ([host("test.example.com")], Needed(host="test.example.com")),
        ([host("*.example.com", "test.example.com")], Needed(host="test.example.com")),
        ([{"Field": "host-header", "Values": ["old.example.com"]}], Needed(host="old.example.com")),
        ([path("/test/*")], Needed(prefix="/test")),
        ([path("/test*")], Needed(prefix="/test")),
        ([path("/a/b/*")], Needed(prefix="/a/b")),
        ([path("/exact", "/prefix/*")], Needed(prefix="/prefix")),
        ([path("*")], Needed()),
        ([path("/*")], Needed()),
        ([{"Field": "path-pattern", "Values": ["/old/*"]}], Needed(prefix="/old")),
        ([header("X-Environment", "test")], Needed(headers={"X-Environment": "test"})),
        ([header("X-A", "t?st", "b"), header("X-C", "d")], Needed(headers={"X-A": "b", "X-C": "d"})),
        ([query(version="green")], Needed(query={"version": "green"})),
        (
            [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}}],
            Needed(methods=("GET", "HEAD")),
        ),
        (
            [host("a.example.com"), path("/t/*"), header("X-E", "1"), query(v="2")],
            Needed("a.example.com", "/t", {"X-E": "1"}, {"v": "2"}),
        ),
    ],
)
def test_contract_5_2_what_a_rule_asks_of_a_request(conditions: list[dict[str, Any]], expected: Needed) -> None:
    assert needed(conditions) == expected


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (host("*.example.com"), "host-header"),
        (host(RegexValues=["^test"]), "host-header"),
        (path("/exact"), "path-pattern"),
        (path("/a/*/b/*"), "path-pattern"),
        (path("/a?c/*"), "path-pattern"),
        (path("*/x"), "path-pattern"),
        (path("/test//*"), "path-pattern"),
        ({"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/x"]}}, "path-pattern"),
        (header("X-E", "*"), "http-header X-E"),
        (header("X-E", ""), "http-header X-E"),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "any-key"}]}}, "query-string"),
        (query(version="v*"), "query-string"),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "source-ip"),
        ({"Field": "of-2030"}, "of-2030"),
    ],
)
def test_contract_5_2_wildcards_regular_expressions_and_addresses_are_not_guessed(
    condition: dict[str, Any], named: str
) -> None:
    with pytest.raises(UnderivableError, match=f"its condition {named}"):
        needed([condition])
