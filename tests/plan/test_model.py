from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecs_hooks
from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.json_text import read_json
from ecs_hooks.plan.model import MAX_CHECKS, FirstDeployment, Mode, Plan, PlanError
from tests.conftest import load_event

GOOD = load_event("post_test_traffic_shift_hook_details")["hookDetails"]


def problems(configuration: Any, **options: Any) -> list[str]:
    with pytest.raises(PlanError) as raised:
        Plan.parse(configuration, **options)
    return list(raised.value.problems)


def test_the_plan_of_the_design_is_read() -> None:
    plan = Plan.parse(GOOD)

    assert [check.label for check in plan.checks] == ['http "health"', 'http "upload"']
    assert plan.explicit
    assert plan.policies.timeout_minutes == 30


def test_defaults() -> None:
    plan = Plan.parse({}, defaults=[HttpCheck()])

    assert plan.checks == (HttpCheck(),)
    assert not plan.explicit
    assert plan.policies.mode is Mode.ENFORCE
    assert plan.policies.first_deployment is FirstDeployment.RUN
    assert plan.policies.error_limit == 5
    assert plan.policies.base_url is None


def test_an_empty_list_of_checks_is_a_choice() -> None:
    plan = Plan.parse({"checks": []}, defaults=[HttpCheck()])

    assert plan.checks == ()
    assert plan.explicit


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ([1], 'hookDetails: must be a JSON object such as {"checks": [...]}, not array'),
        ({"chekcs": []}, "hookDetails.chekcs: unknown field; did you mean 'checks'?"),
        ({"timeout": 3}, "hookDetails.timeout: unknown field; did you mean 'timeout_minutes'?"),
        ({"zzz": 3}, "hookDetails.zzz: unknown field; known: base_url, checks, "),
        (
            {"mode": "obsrve"},
            "hookDetails.mode: is not one of the allowed values (enforce, observe); did you mean 'observe'?",
        ),
        ({"mode": 3}, "hookDetails.mode: must be one of the allowed values (enforce, observe), not number"),
        ({"error_limit": 0}, "hookDetails.error_limit: must be at least 1"),
        ({"timeout_minutes": "x"}, "hookDetails.timeout_minutes: must be a number, not string"),
        ({"base_url": "test-alb:8080"}, "hookDetails.base_url: must have the form http://HOST/PATH, without ? and #"),
        ({"checks": {}}, "hookDetails.checks: must be an array of checks, not object"),
        ({"checks": [3]}, "hookDetails.checks[0]: must be an object with a type, not number"),
        (
            {"checks": [{}]},
            f"hookDetails.checks[0].type: is required; one of {', '.join(CHECKS)}",
        ),
        (
            {"checks": [{"type": "htp"}]},
            f"hookDetails.checks[0].type: is not one of the allowed values ({', '.join(CHECKS)}); did you mean 'http'?",
        ),
        (
            {"checks": [{"type": ["http"]}]},
            f"hookDetails.checks[0].type: must be one of the allowed values ({', '.join(CHECKS)}), not array",
        ),
        (
            {"checks": [{"type": "http", "pth": "/"}]},
            "hookDetails.checks[0].pth: unknown field; did you mean 'path'?",
        ),
        (
            {"checks": [{"type": "http"}, {"type": "http", "expect": {"statuss": 200}}]},
            "hookDetails.checks[1].expect.statuss: unknown field; did you mean 'status'?",
        ),
        (
            {"checks": [{"type": "http", "until": {"timeout_second": 3}}]},
            "hookDetails.checks[0].until.timeout_seconds: is required",
        ),
        (
            {"checks": [{"type": "http", "name": "a"}, {"type": "http", "name": "a"}]},
            "hookDetails.checks: two checks have the name 'a'; names must be unique",
        ),
        (
            {"checks": [{"type": "http"}] * (MAX_CHECKS + 1)},
            f"hookDetails.checks: must have at most {MAX_CHECKS} checks, not {MAX_CHECKS + 1}",
        ),
    ],
)
def test_a_mistake_names_its_field(configuration: Any, says: str) -> None:
    assert any(problem.startswith(says) for problem in problems(configuration)), problems(configuration)


ARN = "arn:aws:ecs:us-west-2:123456789012:service/shop/api"


@pytest.mark.parametrize("service", ["api", "shop/api", ARN, ARN.replace("shop/", "")])
def test_a_plan_for_a_service_fails_for_others(service: str) -> None:
    plan = {"service": service, "checks": []}

    assert Plan.parse(plan).policies.service == service
    assert Plan.parse(plan, deployed=EcsArn.parse(ARN)).checks == ()
    other = ARN.replace("/api", "/web")
    assert problems(plan, deployed=EcsArn.parse(other)) == [
        f"hookDetails.service: the plan is for service {service}, but this is a deployment of service {other}"
    ]
    function = EcsArn("aws", "us-west-2", "123456789012", "function", "", "web")
    assert problems(plan, deployed=function)[0].endswith("but this is a deployment of Lambda function web")


@pytest.mark.parametrize(
    "service", ["", "a/b/c", "a b", "arn:aws:ecs:us-west-2:1:service/a", ARN.replace(":ecs:", ":s3:")]
)
def test_a_service_is_a_name_or_an_arn(service: str) -> None:
    assert problems({"service": service}) == [
        "hookDetails.service: must have the form NAME, CLUSTER/NAME, or the ARN of a service"
    ]


def test_all_mistakes_are_told_at_once() -> None:
    found = problems({"mode": "x", "checks": [{"type": "y"}, 3], "what": 1})

    assert len(found) == 4


def test_own_fields_belong_to_a_hook_of_ones_own_unless_they_look_misspelt() -> None:
    assert Plan.parse({"S3_BUCKET_NAME": "b"}, own_fields_allowed=True).checks == ()
    assert problems({"chekcs": [], "S3_BUCKET_NAME": "b"}, own_fields_allowed=True) == [
        "hookDetails.chekcs: unknown field; did you mean 'checks'?"
    ]


SECRET = "hunter2-hunter2"
PLACES = st.recursive(
    st.just(SECRET),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["checks", "type", "mode", "expect", "status", "headers", "json", "url", "path", "body", "form"]
            ),
            inner,
            min_size=1,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@given(PLACES)
def test_no_value_is_repeated_in_an_error(value: Any) -> None:
    for configuration in (
        value,
        {"checks": [{"type": "http", "expect": value}]},
        {"checks": [value], "base_url": value},
    ):
        try:
            Plan.parse(configuration)
        except PlanError as error:
            assert SECRET not in str(error)


def test_every_kind_of_check_can_be_loaded() -> None:
    assert [check_class(kind).model_fields["type"].default for kind in CHECKS] == list(CHECKS)


def test_what_the_package_of_checks_does_not_have_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        ecs_hooks.checks.Nothing  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", ""),
        ("checks: []", "; the string is not JSON: Expecting value, line 1 column 1"),
        ('{"mode": Infinity}', "; the string is not JSON: Infinity is not a number of JSON"),
        ('{"mode": 1, "mode": 2}', "; the string has the key 'mode' twice in one object"),
        ("[" * 100_000, "; the string is nested too deeply"),
    ],
)
def test_a_string_that_is_no_json_object(text: str, problem: str) -> None:
    (found,) = problems(text)
    assert found == f'hookDetails: must be a JSON object such as {{"checks": [...]}}, not string{problem}'


@pytest.mark.parametrize("kind", ["object", "array"])
def test_a_check_that_is_nested_too_deeply(kind: str) -> None:
    body: Any = 1
    for _ in range(900):
        body = {"a": body} if kind == "object" else [body]
    for check in ({"json": body}, {"expect": {"json": {"$": {"equals": body}}}}):
        assert problems({"checks": [{"type": "http", **check}]}) == [
            "hookDetails.checks[0]: must have at most 100 levels of objects and arrays"
        ]


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (float("nan"), "must be a finite number"),
        (-float("inf"), "must be a finite number"),
        (10**400, "must not be a number beyond the range of a double"),
        pytest.param(-(10**5000), "must not be a number beyond the range of a double", id="5,000 digits"),
        (read_json("1e999"), "must not be a number beyond the range of a double"),
    ],
)
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"json": [1, "NUMBER"]}, "json[1]"),
        ({"timeout_seconds": "NUMBER"}, "timeout_seconds"),
        ({"expect": {"json": {"$.a": "NUMBER"}}}, "expect.json.$.a"),
        ({"expect": {"json": {"$": {"max": "NUMBER"}}}}, "expect.json.$.max"),
    ],
)
def test_a_number_that_json_does_not_have_is_refused_with_its_place(
    fields: dict[str, Any], place: str, number: float, problem: str
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return [filled(each) for each in value] if isinstance(value, list) else number if value == "NUMBER" else value

    assert problems({"checks": [{"type": "http", **filled(fields)}]}) == [f"hookDetails.checks[0].{place}: {problem}"]


HALF = "a\ud800"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"path": f"/{HALF}"}, ".path:"),
        ({"url": f"http://a/{HALF}"}, ".url:"),
        ({"query": {HALF: "b"}}, ".query (the name of a field):"),
        ({"query": {"b": [HALF]}}, ".query.b[0]:"),
        ({"form": {"b": HALF}}, ".form.b:"),
        ({"body": HALF}, ".body:"),
        ({"multipart": {"b": HALF}}, ".multipart.b:"),
        ({"multipart": {"b": {"filename": HALF, "content": "c"}}}, ".multipart.b.filename:"),
        ({"name": HALF}, ".name:"),
    ],
)
def test_half_of_a_surrogate_pair_is_refused_where_it_cannot_be_sent(fields: Any, where: str) -> None:
    (found,) = problems({"checks": [{"type": "http", "method": "POST", **fields}]})
    assert found == f"hookDetails.checks[0]{where} must not contain half of a surrogate pair"


def test_a_policy_beyond_the_range_of_a_double_is_refused() -> None:
    (problem,) = problems({"error_limit": 10**400})
    assert problem == "hookDetails.error_limit: must be at most 1000, not a number beyond the range of a double"


def test_the_name_of_a_field_that_is_not_valid() -> None:
    query = {"namespace": "AWS/ECS", "metric": "CPUUtilization"}
    check = {"type": "metric", "queries": {"Err": query}, "fail_if": {"above": 1}}
    (problem,) = problems({"checks": [check]})
    assert problem.startswith("hookDetails.checks[0].queries.Err (the name of a field): must have the form of an id")
