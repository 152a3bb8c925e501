"""Contract 5.2: requests that match the conditions of a listener rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks.deployment.alb_address import derive_endpoint, meet_conditions
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, RoutingError
from ecs_hooks.deployment.listener import Address, Route
from ecs_hooks.deployment.rule_matching import Condition, Match
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.request import Authorization, Request
from tests.support.conditions import header, host, matched, methods, path, query, regex, request, source_ip

ALB = "alb.example.com"


def met(conditions: Sequence[Condition], of: Request, *given: str) -> Request:
    """Return a request that matches, with these headers set by the plan; verify that it does."""
    found = meet_conditions(conditions, of, given)
    assert matched(conditions, found) is Match.YES
    return found


@pytest.mark.parametrize(
    ("condition", "of"),
    [
        (path("/api/*"), request("/api/health")),
        (path("/health"), request("/health")),
        (path("/health", "/ready"), request("/ready?a=b")),
        (path("/a/*/b"), request("/a/x/b")),
        (path("/?pi/*"), request("/api/health")),
        (path("*.php"), request("/a.php")),
        (path("*"), request("/")),
        (regex(path("^/api/.*$")), request("/api/x")),
        (header("X-A", "gr*"), request(X_A="green")),
        (header("X-A", "blue", "green"), request(x_a="GREEN")),
        (header("User-Agent", "ecs-hooks/*"), request()),
        (header("Accept", "*"), request()),
        (regex(header("X-A", "^gr.*$")), request(X_A="green")),
        (query(("v", "gr*")), request("/?V=green")),
        (query(("v", "1"), ("v", "2")), request("/?v=2")),
        (query("green"), request("/?a=green")),
        (host("*.example.com"), request(Host="a.example.com")),
        (regex(host("^.*[.]example[.]com$")), request(Host="a.example.com")),
        (host(ALB), request()),
        (methods("POST", "GET"), request()),
        (source_ip("0.0.0.0/0", "::/0"), request()),
    ],
)
def test_a_request_that_matches_as_it_is_written_is_not_changed(condition: Condition, of: Request) -> None:
    assert met([condition], of, *(name.lower() for name in of.headers)) == of


@pytest.mark.parametrize(
    ("condition", "target", "expected"),
    [
        (path("/test/*"), "/", "/test/"),
        (path("/test*"), "/a?b=c", "/test/a?b=c"),
        (path("/a/b/*"), "/a/c", "/a/b/a/c"),
        (path("/exact", "/?/*", "/prefix/*"), "/a", "/prefix/a"),
        ({"Field": "path-pattern", "Values": ["/old/*"]}, "/a", "/old/a"),
        (query(("version", "green")), "/", "/?version=green"),
        (query(("version", "green")), "/a?b=c", "/a?version=green&b=c"),
        (query("any-key", ("a", "v*"), ("v", "1")), "/", "/?v=1"),
        (query(("a", "\\*")), "/", "/?a=%2A"),
        (query(("a", "b c"), ("d", "e")), "/", "/?a=b%20c"),
        (query(("a", "1"), ("b", "2")), "/?a=3", "/?b=2&a=3"),
        (query(("a", "b&c=d")), "/", "/?a=b%26c%3Dd"),
    ],
)
def test_a_prefix_or_a_parameter_is_added_to_another_request(condition: Condition, target: str, expected: str) -> None:
    assert met([condition], request(target)).url.target == expected


@pytest.mark.parametrize(
    ("condition", "of", "expected"),
    [
        (header("X-A", "test"), request(), {"X-A": "test"}),
        (header("X-A", "t?st", "b"), request(), {"X-A": "b"}),
        (header("user-agent", "robot"), request(), {"user-agent": "robot"}),
    ],
)
def test_a_header_is_added_or_replaces_a_default(condition: Condition, of: Request, expected: dict[str, str]) -> None:
    added = met([condition], of).headers
    assert expected.items() <= added.items()
    assert len({name.lower() for name in added}) == len(added)


def test_of_several_conditions_only_the_missing_ones_are_added() -> None:
    conditions = [path("/t/*"), header("X-E", "1"), query(("v", "2")), query(("w", "3")), methods("GET"), host(ALB)]
    found = met(conditions, request("/t/a?w=3", X_E="1"), "x-e")
    assert found.url.target == "/t/a?v=2&w=3"


def test_several_conditions_of_one_header_or_parameter() -> None:
    assert met([header("X-A", "abc"), header("x-a", "a*")], request()).headers["X-A"] == "abc"
    assert met([query(("v", "1")), query(("v", "1*"))], request()).url.target == "/?v=1"


def test_credentials_may_meet_a_condition() -> None:
    of = request()._replace(auth=Authorization(headers={"X-Api-Key": "k"}, query={"token": "t"}))
    assert meet_conditions([header("x-api-key", "k"), query(("token", "t"))], of, ()) == of
    with pytest.raises(RoutingError, match="requires another value of header x-api-key than the request has"):
        meet_conditions([header("x-api-key", "other")], of, ())
    with pytest.raises(RoutingError, match="requires another value of query parameter token than the request has"):
        meet_conditions([query(("token", "other"))], of, ())


@pytest.mark.parametrize(
    ("condition", "of", "problem"),
    [
        (path("/exact"), request("/"), "requires path-pattern /exact, which / is not certain .*; change the path"),
        (path("/a/*/b/*"), request("/x"), "path-pattern"),
        (path("/a?c/*"), request("/x"), "path-pattern"),
        (path("*/x"), request("/y"), "path-pattern"),
        (path("/test//*"), request("/y"), "path-pattern"),
        (regex(path("^/x")), request("/xy"), "path-pattern"),
        (header("X-E", "*"), request(), "requires http-header X-E and has no literal value for it; set the header X-E"),
        (header("X-E", "a*", "b?"), request(), "http-header X-E"),
        (header("X-E", "a\\*"), request(), "http-header X-E"),
        (header("X-E"), request(), "http-header X-E"),
        (regex(header("X-E", "a")), request(), "http-header X-E"),
        ({"Field": "http-header"}, request(), "http-header"),
        (
            header("X-E", "a"),
            request(X_E="b"),
            "another value of header X-E than the request has; change or remove X-E",
        ),
        (header("X-E", "a*"), request(X_E="b"), "another value of header X-E than the request has"),
        (query(("v", "*")), request(), "query-string v and has no literal key and value .*; set the query parameter"),
        (query("any-key"), request(), "query-string"),
        ({"Field": "query-string"}, request(), "query-string"),
        (query(("v", "1")), request("/?V=2"), "another value of query parameter v than the request has"),
        (query(("ü", "1")), request("/?%C3%BC=2"), "another value of query parameter ü than the request has"),
        (query(("v", "1"), ("V", "3")), request("/?v=2"), "another value of query parameter v"),
        (methods("GET", "HEAD"), request(method="PUT"), "accepts only GET, HEAD, not PUT; change the method"),
        (
            host("*.b.com"),
            request(),
            r"host-header \*.b.com, which the request is not certain .*; set hookDetails.host",
        ),
        (host("a.b.com"), request(Host="c.b.com"), "host-header a.b.com"),
    ],
)
def test_a_request_that_nothing_certain_can_be_added_to_is_refused(
    condition: Condition, of: Request, problem: str
) -> None:
    with pytest.raises(RoutingError, match=problem):
        meet_conditions([condition], of, {name.lower() for name in of.headers} - {"accept", "user-agent"})


def test_a_message_contains_no_value_of_a_header_or_parameter() -> None:
    for condition, of in [
        (header("X-E", "hunter2"), request(X_E="other")),
        (header("X-E", "hunter2*"), request()),
        (query(("v", "hunter2")), request("/?v=other")),
        (query(("v", "hunter2*")), request()),
    ]:
        with pytest.raises(RoutingError) as refused:
            meet_conditions([condition], of, {"x-e"} & {name.lower() for name in of.headers})
        assert "hunter2" not in str(refused.value)


def test_a_header_that_the_client_sets_itself_cannot_be_added() -> None:
    with pytest.raises(RequestError, match="'Content-Length' is set by the client itself"):
        meet_conditions([header("Content-Length", "3")], request(), ())


def derive(*conditions: Condition, plan_host: str = "", protocol: str = "HTTP") -> Endpoint:
    return derive_endpoint(
        Route((), conditions, ""), lambda: Address(protocol, 80, ALB), "arn:aws:x:listener-rule/app/a", plan_host
    )


def test_the_host_of_an_endpoint_is_the_first_literal_one_of_the_rule() -> None:
    assert derive() == Endpoint(f"http://{ALB}:80", protocol="HTTP")
    assert derive(host("*.b.com")).host == ""
    assert derive(host("*.b.com", "a.b.com", "c.b.com")).host == "a.b.com"
    assert derive({"Field": "host-header", "Values": ["old.b.com"]}).host == "old.b.com"
    assert derive(host("*.b.com"), plan_host="x.b.com").host == "x.b.com"
    assert derive(path("/a"), plan_host="x.b.com").host == "x.b.com"
    with pytest.raises(EndpointError, match="uses TLS"):
        derive(host("*.b.com"), protocol="HTTPS")


@pytest.mark.parametrize(
    ("conditions", "problem"),
    [
        ([source_ip("10.0.0.0/8")], "a check cannot satisfy its condition source-ip; set hookDetails.base_url"),
        ([{"Field": "of-2030"}], "its condition of-2030"),
        ([{}], "its condition without a field"),
        ([host("a.b.com")], "its condition host-header does not match x.b.com"),
        ([host("a.b.com"), host("c.b.com")], "its condition host-header does not match"),
        ([regex(host("^X"))], "its condition host-header does not match x.b.com"),
    ],
)
def test_contract_5_2_some_rules_have_no_endpoint(conditions: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(EndpointError, match=f"cannot derive green's address from listener-rule/app/a: .*{problem}"):
        derive(*conditions, plan_host="x.b.com" if "host" in str(conditions) else "")
