from __future__ import annotations

import pytest

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.migrate.document import DocumentError, parse_document
from ecs_hooks_cli.migrate.hooks import FunctionDefaults, function_arn, partition_of, stage_of_stack_function

ARN = "arn:aws:lambda:us-west-2:123456789012:function:"
HERE = FunctionDefaults("us-west-2", "123456789012")


@pytest.mark.parametrize(
    ("function", "where", "arn"),
    [
        (f"{ARN}check", FunctionDefaults(), f"{ARN}check"),
        (f"{ARN}check:live", HERE, f"{ARN}check:live"),
        ("check", HERE, f"{ARN}check"),
        ("check:$LATEST", HERE, f"{ARN}check:$LATEST"),
        ("check", FunctionDefaults(prefix=ARN), f"{ARN}check"),
        ("check", FunctionDefaults(prefix=ARN.removesuffix(":")), f"{ARN}check"),
        ("210987654321:function:check:7", HERE, "arn:aws:lambda:us-west-2:210987654321:function:check:7"),
        (
            "check",
            FunctionDefaults("cn-north-1", "123456789012"),
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:check",
        ),
        (
            "check",
            FunctionDefaults("us-gov-west-1", "1" * 12),
            f"arn:aws-us-gov:lambda:us-gov-west-1:{'1' * 12}:function:check",
        ),
    ],
)
def test_the_arn_of_a_function(function: str, where: FunctionDefaults, arn: str) -> None:
    assert function_arn(function, parse_document("a"), where) == arn


@pytest.mark.parametrize(
    ("function", "where", "message"),
    [
        (
            "check",
            FunctionDefaults(),
            "is the name of a function, but ECS requires its ARN; set --account and --region, or --function-arn-prefix",
        ),
        ("check", FunctionDefaults("us-west-2"), "set --account and --region, or --function-arn-prefix"),
        ("check", FunctionDefaults(account="1" * 12), "set --region"),
        ("123456789012:function:check", FunctionDefaults(prefix=ARN), "set --region"),
        (
            "check",
            FunctionDefaults("us-west-2", "12"),
            "is not the ARN of a function; correct --account, --region or --function-arn-prefix",
        ),
        ("arn:aws:sns:us-west-2:123456789012:check", HERE, "is neither the name nor the ARN of a Lambda function"),
        ("scripts/check.sh", HERE, "is neither the name nor the ARN of a Lambda function"),
    ],
)
def test_an_incomplete_or_invalid_function_is_refused(function: str, where: FunctionDefaults, message: str) -> None:
    with pytest.raises(DocumentError, match="line 1: ") as raised:
        function_arn(function, parse_document("a"), where)
    assert str(raised.value).endswith(message)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("CodeDeployHook_ecs-hooks_PreScaleUp", Stage.PRE_SCALE_UP),
        ("CodeDeployHook_ecs-hooks_PreScaleUp:live", Stage.PRE_SCALE_UP),
        ("CodeDeployHook_ecs-hooks_Smoke", None),
        ("CodeDeployHook_PreScaleUp", None),
        ("check", None),
    ],
)
def test_the_name_of_a_stack_function_contains_its_stage(name: str, stage: Stage | None) -> None:
    assert stage_of_stack_function(f"{ARN}{name}") is stage


def test_a_name_is_not_a_stack_function() -> None:
    assert stage_of_stack_function("CodeDeployHook_ecs-hooks_PreScaleUp") is None


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eusc-xx-west-1", "aws-eusc"),
        ("ap-southeast-99", "aws"),
        ("unknown", "aws"),
    ],
)
def test_the_partition_is_that_of_the_region(region: str, partition: str) -> None:
    assert partition_of(region) == partition
