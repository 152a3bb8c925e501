from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.deployment.alb_address import Required, UnderivableError, could_match, required_by
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url


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
        ([], Required()),
        ([host("test.example.com")], Required(host="test.example.com")),
        ([host("*.example.com", "test.example.com")], Required(host="test.example.com")),
        ([{"Field": "host-header", "Values": ["old.example.com"]}], Required(host="old.example.com")),
        ([path("/test/*")], Required(prefix="/test")),
        ([path("/test*")], Required(prefix="/test")),
        ([path("/a/b/*")], Required(prefix="/a/b")),
        ([path("/exact", "/prefix/*")], Required(prefix="/prefix")),
        ([path("*")], Required()),
        ([path("/*")], Required()),
        ([{"Field": "path-pattern", "Values": ["/old/*"]}], Required(prefix="/old")),
        ([header("X-Environment", "test")], Required(headers={"X-Environment": "test"})),
        ([header("X-A", "t?st", "b"), header("X-C", "d")], Required(headers={"X-A": "b", "X-C": "d"})),
        ([query(version="green")], Required(query={"version": "green"})),
        (
            [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}}],
            Required(methods=("GET", "HEAD")),
        ),
        (
            [host("a.example.com"), path("/t/*"), header("X-E", "1"), query(v="2")],
            Required("a.example.com", "/t", {"X-E": "1"}, {"v": "2"}),
        ),
    ],
)
def test_contract_5_2_the_requirements_of_a_rule_on_a_request(
    conditions: list[dict[str, Any]], expected: Required
) -> None:
    assert required_by(conditions) == expected


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
        required_by([condition])


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ([header("X-E", "a"), header("x-e", "b")], "several conditions http-header x-e"),
        ([query(v="1"), query(v="2")], "several conditions query-string v"),
        ([host("a.example.com"), host("b.example.com")], "several conditions host-header"),
        ([path("/a/*"), path("/b/*")], "several conditions path-pattern"),
        ([{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}] * 2, "http-request-method"),
        ([{}], "its condition without a field"),
        ([{"Field": "http-header"}], "its condition http-header"),
        ([header("X-E", "*", "a*")], "its condition http-header X-E has only patterns"),
        (
            [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-E", "RegexValues": ["a"]}}],
            "http-header X-E",
        ),
        ([{"Field": "path-pattern", "RegexValues": ["^/x"]}], "path-pattern"),
        ([path("/")], "path-pattern is not a literal prefix"),
        ([path("/test")], "path-pattern is not a literal prefix"),
    ],
)
def test_contract_5_2_conditions_that_no_request_is_certain_to_match(
    conditions: list[dict[str, Any]], named: str
) -> None:
    with pytest.raises(UnderivableError, match=named):
        required_by(conditions)


def test_a_rule_may_have_two_query_strings_with_different_names() -> None:
    assert required_by([query(a="1"), query(b="2")]).query == {"a": "1", "b": "2"}
    literal = {
        "Field": "query-string",
        "QueryStringConfig": {"Values": [{"Key": "a", "Value": "\\*"}, {"Key": "b", "Value": "2"}]},
    }
    assert required_by([literal]).query == {"b": "2"}


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("A?.example.com", "ab.EXAMPLE.com", True),
        ("a?.example.com", "a.example.com", False),
        ("[ab].example.com", "a.example.com", False),
        ("*" * 60 + "x", "a" * 255, False),
    ],
)
def test_a_host_of_the_plan_must_match_the_pattern(pattern: str, name: str, fits: bool) -> None:
    if fits:
        assert required_by([host(pattern)], name).host == name
    else:
        with pytest.raises(UnderivableError, match="does not match"):
            required_by([host(pattern)], name)


def test_a_rule_without_a_host_asks_for_none() -> None:
    assert required_by([path("/a/*")], "any.example.com").host == ""


def asking(target: str = "/", method: str = "GET", **headers: str) -> Request:
    return Request.build(method, Url.parse(f"http://alb.example.com{target}"), headers)


GET = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}
REGEX: dict[str, Any] = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "RegexValues": ["^b"]}}


@pytest.mark.parametrize(
    ("conditions", "request_", "expected"),
    [
        ([], asking(), False),
        ([host("ALB.example.com")], asking(), True),
        ([host("*.example.com", "b")], asking(Host="test.example.com:8080"), True),
        ([host("alb.example.com")], asking(Host="other.example.com"), False),
        ([host(RegexValues=["^alb"])], asking(), True),
        ([path("/test/*")], asking("/test/a?b=c"), True),
        ([path("/test/*")], asking("/Test/a"), False),
        ([path("/a", "/b?")], asking("/bc"), True),
        ([header("X-A", "b*")], asking(**{"x-a": "BC"}), True),
        ([header("X-A", "b*")], asking(**{"x-a": "cb"}), False),
        ([header("X-A", "b*")], asking(), False),
        ([REGEX], asking(**{"X-A": "c"}), True),
        ([REGEX], asking(), False),
        ([query(version="GREEN")], asking("/?Version=green"), True),
        ([query(version="green")], asking("/?version=blue"), False),
        ([query(version="green")], asking("/"), False),
        ([{"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "green"}]}}], asking("/?a=green"), True),
        ([{"Field": "query-string", "QueryStringConfig": {}}], asking("/?a=b"), True),
        ([GET], asking(), True),
        ([GET], asking(method="HEAD"), False),
        ([{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}], asking(), True),
        ([path("/test/*"), GET], asking("/test/"), True),
        ([path("/test/*"), GET], asking("/test/", method="HEAD"), False),
    ],
)
def test_contract_5_2_whether_a_request_could_match_a_rule(
    conditions: list[dict[str, Any]], request_: Request, expected: bool
) -> None:
    assert could_match(conditions, request_) is expected
