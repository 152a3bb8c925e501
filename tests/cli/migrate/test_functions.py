from __future__ import annotations

import pytest

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.migrate.functions import Where, arn_of, stage_of
from ecs_hooks_cli.migrate.place import DocumentError, parsed

ARN = "arn:aws:lambda:us-west-2:123456789012:function:"
HERE = Where("us-west-2", "123456789012")


@pytest.mark.parametrize(
    ("function", "where", "arn"),
    [
        (f"{ARN}check", Where(), f"{ARN}check"),
        (f"{ARN}check:live", HERE, f"{ARN}check:live"),
        ("check", HERE, f"{ARN}check"),
        ("check:$LATEST", HERE, f"{ARN}check:$LATEST"),
        ("check", Where(prefix=ARN), f"{ARN}check"),
        ("check", Where(prefix=ARN.removesuffix(":")), f"{ARN}check"),
        ("210987654321:function:check:7", HERE, "arn:aws:lambda:us-west-2:210987654321:function:check:7"),
        ("check", Where("cn-north-1", "123456789012"), "arn:aws-cn:lambda:cn-north-1:123456789012:function:check"),
        ("check", Where("us-gov-west-1", "1" * 12), f"arn:aws-us-gov:lambda:us-gov-west-1:{'1' * 12}:function:check"),
    ],
)
def test_the_arn_of_a_function(function: str, where: Where, arn: str) -> None:
    assert arn_of(function, parsed("a"), where) == arn


@pytest.mark.parametrize(
    ("function", "where", "told"),
    [
        ("check", Where(), "this is its name; give --account and --region, or --function-arn-prefix"),
        ("check", Where("us-west-2"), "give --account and --region, or --function-arn-prefix"),
        ("check", Where(account="1" * 12), "give --region"),
        ("123456789012:function:check", Where(prefix=ARN), "give --region"),
        (
            "check",
            Where("us-west-2", "12"),
            "is no ARN of a function; see --account, --region and --function-arn-prefix",
        ),
        ("arn:aws:sns:us-west-2:123456789012:check", HERE, "is neither the name nor the ARN of a Lambda function"),
        ("scripts/check.sh", HERE, "is neither the name nor the ARN of a Lambda function"),
    ],
)
def test_what_is_missing_or_wrong(function: str, where: Where, told: str) -> None:
    with pytest.raises(DocumentError, match="line 1: ") as raised:
        arn_of(function, parsed("a"), where)
    assert str(raised.value).endswith(told)


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
def test_functions_of_the_stack_tell_their_stage_by_their_name(name: str, stage: Stage | None) -> None:
    assert stage_of(f"{ARN}{name}") is stage


def test_what_is_no_arn_is_no_function_of_the_stack() -> None:
    assert stage_of("CodeDeployHook_ecs-hooks_PreScaleUp") is None
