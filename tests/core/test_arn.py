from __future__ import annotations

import pytest

from ecs_hooks.core.arn import EcsArn, region_of

BASE = "arn:aws:ecs:us-west-2:123456789012"


def test_a_deployment_is_taken_apart() -> None:
    arn = EcsArn.parse(f"{BASE}:service-deployment/cluster/api/EZe5", "service-deployment")

    assert arn == EcsArn("aws", "us-west-2", "123456789012", "service-deployment", "cluster", "api", "EZe5")
    assert arn.service_arn == f"{BASE}:service/cluster/api"


@pytest.mark.parametrize(
    "text",
    [
        f"{BASE}:service/cluster/api",
        f"{BASE}:service/api",
        f"{BASE}:service-revision/cluster/api/1",
        "arn:aws-cn:ecs:cn-north-1:123456789012:service-revision/cluster/api/1",
    ],
)
def test_an_arn_is_written_as_it_was_read(text: str) -> None:
    assert str(EcsArn.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "kinds", "says"),
    [
        ("secret", (), "not an ECS ARN"),
        ("arn:aws:iam::123456789012:role/x", (), "not an ECS ARN"),
        (f"{BASE}:service/cluster/api", ("service-revision",), "of a service-revision is expected, not of a service"),
        (f"{BASE}:service-revision/cluster/api", (), "CLUSTER/SERVICE and its id"),
        (f"{BASE}:service/a/b/c/d", (), "CLUSTER/SERVICE and its id"),
        (f"{BASE}:service/cluster/", (), "of a service without empty parts"),
        (f"{BASE}:service-revision//api/1", (), "of a service-revision without empty parts"),
        (f"{BASE}:service-deployment/cluster/api/", (), "of a service-deployment without empty parts"),
        ("arn:aws:ecs:us-west-2::service/cluster/api", (), "of a service without empty parts"),
        ("arn:aws:ecs::123456789012:service/cluster/api", (), "of a service without empty parts"),
    ],
)
def test_what_is_no_such_arn_is_refused_without_being_repeated(text: str, kinds: tuple[str, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        EcsArn.parse(text, *kinds)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_region_of_any_arn(partition: str) -> None:
    assert region_of(f"arn:{partition}:elasticloadbalancing:cn-north-1:1:targetgroup/a/b") == "cn-north-1"


@pytest.mark.parametrize("text", ["", "listener/app/a/b/c", "x:aws:ecs:us-west-2:1:a", "arn:aws:iam::1:role/a"])
def test_an_arn_without_a_region(text: str) -> None:
    with pytest.raises(ValueError, match="not an ARN with a region"):
        region_of(text)


SERVICE = EcsArn.parse(f"{BASE}:service/cluster/api")


@pytest.mark.parametrize(
    ("name", "is_same"),
    [
        ("api", True),
        ("cluster/api", True),
        (f"{BASE}:service/cluster/api", True),
        (f"{BASE}:service/api", True),
        ("ap", False),
        ("API", False),
        ("other/api", False),
        (f"{BASE}:service/cluster/other", False),
        (f"{BASE}:service/other/api", False),
        (f"{BASE[:-1]}3:service/cluster/api", False),
        ("arn:aws:ecs:eu-west-1:123456789012:service/cluster/api", False),
        ("arn:aws-cn:ecs:us-west-2:123456789012:service/cluster/api", False),
    ],
)
def test_a_service_has_names_and_an_arn(name: str, *, is_same: bool) -> None:
    assert SERVICE.is_named(name) is is_same


def test_a_function_has_a_name_alone() -> None:
    function = EcsArn("aws", "us-west-2", "123456789012", "function", "", "api")

    assert function.is_named("api")
    assert not function.is_named(f"{BASE}:service/api")
