from __future__ import annotations

import pytest

from ecs_hooks.auth.sigv4 import assume_role
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks import CompareCheck, HttpCheck, LoadCheck, ScenarioCheck
from ecs_hooks.checks.base import Check
from ecs_hooks.core import clock
from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.green import EndpointConfig
from tests.auth.signatures import KEYS, SESSION_TOKEN, problem
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import Peer
from tests.support.aws import AwsApi, role_keys

REGION = "us-west-2"
ROLE = "arn:aws:iam::210987654321:role/teams/smoke-tests"
OTHER = "arn:aws:iam::210987654321:role/other"
AUTH = {"sigv4": {"service": "execute-api", "role_arn": ROLE}}


@pytest.fixture(autouse=True)
def _begin(aws: AwsApi) -> None:
    answer(aws)


def answer(aws: AwsApi, **keys: str) -> None:
    described = role_keys(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], SESSION_TOKEN)
    aws.answer("AssumeRole", {"Credentials": {**described["Credentials"], **keys}})


def signed_request(serve: Serve, problems: list[str]) -> Outcome:
    def play(peer: Peer) -> None:
        problems.append(problem(peer.request(), "execute-api", REGION))
        peer.answer(b"ok", status="403 Forbidden" if problems[-1] else "200 OK")

    return HttpCheck.model_validate({"auth": AUTH, "samples": {"count": 3}}).run(context(serve(play).url))


def test_requests_are_signed_as_the_role(serve: Serve, aws: AwsApi) -> None:
    problems: list[str] = []

    assert signed_request(serve, problems).status is Status.PASS
    assert problems == ["", "", ""]
    assert aws.asked == {
        "AssumeRole": [{"RoleArn": ROLE, "RoleSessionName": "ecs-hooks", "DurationSeconds": 900}],
    }


def test_credentials_are_reused_until_shortly_before_their_expiry(aws: AwsApi) -> None:
    now = [1000.0]
    with clock.use(lambda: now[0]):
        first = assume_role(ROLE, REGION)
        now[0] += 599
        assert assume_role(ROLE, REGION) is first
        assert aws.calls["AssumeRole"] == 1
        assume_role(OTHER, REGION)
        now[0] += 1
        answer(aws, AccessKeyId="ASIANEXT")
        assert assume_role(ROLE, REGION).access_key == "ASIANEXT"
    assert [each["RoleArn"] for each in aws.asked["AssumeRole"]] == [ROLE, OTHER, ROLE]


def test_a_missing_permission_names_the_parameter_of_the_stack(serve: Serve, aws: AwsApi) -> None:
    aws.error("AssumeRole", "AccessDenied", 403)
    problems: list[str] = []

    with pytest.raises(FactDeniedError) as caught:
        signed_request(serve, problems)
    assert str(caught.value) == (
        "sts:AssumeRole: AccessDenied; allow the action sts:AssumeRole in the function's role, as AssumedRoleArns of the stack "
        f"does, and the function's role in that role's trust policy ({ROLE})"
    )
    assert not problems


@pytest.mark.parametrize("name", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize("value", ["", "\u0100", "a b", "a\nX-Other: b"])
def test_credentials_that_are_invalid_in_a_header_are_an_invalid_response(aws: AwsApi, name: str, value: str) -> None:
    assume_role(OTHER, REGION)
    answer(aws, **{name: value})

    with pytest.raises(FactError, match=r"sts:AssumeRole: invalid response \(arn:") as caught:
        assume_role(ROLE, REGION)
    assert not isinstance(caught.value, FactDeniedError)


@pytest.mark.parametrize(
    "check",
    [
        HttpCheck.model_validate({"auth": AUTH}),
        CompareCheck.model_validate({"requests": [{"auth": AUTH}, {}]}),
        LoadCheck.model_validate({"requests": [{"auth": AUTH}, {}]}),
        ScenarioCheck.model_validate({"requests": [{}], "cleanup": [{"auth": AUTH}]}),
    ],
    ids=lambda check: str(check.type),
)
def test_a_check_lists_the_roles_that_it_assumes(check: Check) -> None:
    shared = SharedActions.of(EndpointConfig("http://green.example"), Stage.POST_TEST_TRAFFIC_SHIFT, Serving(), {})

    assert check.requirements().roles == (ROLE,)
    assert "sts:AssumeRole" in check.requirements().iam_actions(shared)


def test_a_check_without_a_role_lists_none() -> None:
    assert not HttpCheck().requirements().roles
