from __future__ import annotations

from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator.codedeploy import ComputePlatform, DeploymentConfig, DeploymentGroup
from ecs_hooks_simulator.core.errors import EcsError
from tests.simulator.codedeploy.plays import Gate

ECS, LAMBDA = ComputePlatform.ECS, ComputePlatform.LAMBDA


@pytest.mark.parametrize(
    ("name", "platform", "first", "count", "minutes"),
    [
        ("CodeDeployDefault.ECSAllAtOnce", ECS, 100, 1, 0),
        ("CodeDeployDefault.ECSCanary10Percent5Minutes", ECS, 10, 2, 5),
        ("CodeDeployDefault.ECSCanary10Percent15Minutes", ECS, 10, 2, 15),
        ("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", ECS, 10, 10, 9),
        ("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", ECS, 10, 10, 27),
        ("CodeDeployDefault.LambdaAllAtOnce", LAMBDA, 100, 1, 0),
        ("CodeDeployDefault.LambdaCanary10Percent5Minutes", LAMBDA, 10, 2, 5),
        ("CodeDeployDefault.LambdaCanary10Percent10Minutes", LAMBDA, 10, 2, 10),
        ("CodeDeployDefault.LambdaCanary10Percent15Minutes", LAMBDA, 10, 2, 15),
        ("CodeDeployDefault.LambdaCanary10Percent30Minutes", LAMBDA, 10, 2, 30),
        ("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", LAMBDA, 10, 10, 9),
        ("CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", LAMBDA, 10, 10, 18),
        ("CodeDeployDefault.LambdaLinear10PercentEvery3Minutes", LAMBDA, 10, 10, 27),
        ("CodeDeployDefault.LambdaLinear10PercentEvery10Minutes", LAMBDA, 10, 10, 90),
    ],
)
def test_the_predefined_configurations(
    name: str, platform: ComputePlatform, first: float, count: int, minutes: int
) -> None:
    config = DeploymentConfig.parse(name, platform)

    assert config.name == name
    assert config in DeploymentConfig.predefined(platform)
    assert (config.steps[0].percent, len(config.steps)) == (first, count)
    assert sum(step.bake_minutes for step in config.steps) == minutes
    assert DeploymentConfig.parse(name.removeprefix("CodeDeployDefault."), platform) == config


def test_the_number_of_predefined_configurations() -> None:
    assert [len(DeploymentConfig.predefined(each)) for each in (ECS, LAMBDA)] == [5, 9]


@given(percentage=st.integers(1, 99), minutes=st.integers(1, 2880), kind=st.sampled_from(["Canary", "Linear"]))
def test_custom_configurations(percentage: int, minutes: int, kind: str) -> None:
    every = "Every" if kind == "Linear" else ""
    config = DeploymentConfig.parse(f"{kind}{percentage}Percent{every}{minutes}Minutes", ECS)
    shares = [step.percent for step in config.steps]

    assert (config.percentage, config.minutes) == (percentage, minutes)
    assert shares == sorted(set(shares))
    assert shares[0] == percentage
    assert config.steps[-1] == (100, 0)
    assert all(step.bake_minutes == minutes for step in config.steps[:-1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CodeDeployDefault.ECSCanary20Percent5Minutes", "CodeDeployDefault.ECSCanary10Percent5Minutes"),
        ("CodeDeployDefault.LambdaAllAtOnce", "is not a deployment configuration for ECS"),
        ("Canary", "a name such as Canary25Percent3Minutes"),
        ("Canary0Percent3Minutes", "a percentage from 1 to 99"),
        ("Linear10PercentEvery2881Minutes", "an interval from 1 to 2880 minutes"),
    ],
)
def test_an_invalid_name_is_refused_with_the_allowed_names(name: str, message: str) -> None:
    with pytest.raises(EcsError, match=message):
        DeploymentConfig.parse(name, ECS)


def test_configurations_have_the_shape_of_the_api() -> None:
    model = boto3.client("codedeploy", region_name="us-west-2").meta.service_model.shape_for("TrafficRoutingConfig")
    for config in (*DeploymentConfig.predefined(ECS), *DeploymentConfig.predefined(LAMBDA)):
        shape = config.to_dict()
        assert shape["type"] in model.members["type"].enum
        for name, value in shape.items():
            if name != "type":
                assert set(value) == set(model.members[name].members)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AllAtOnce", "CodeDeployDefault.ECSAllAtOnce: all at once"),
        ("Canary5Percent2Minutes", "Canary5Percent2Minutes: 5 % for 2 minutes, then all"),
        ("Linear40PercentEvery1Minute", "Linear40PercentEvery1Minute: 40 % more every 1 minutes"),
    ],
)
def test_configurations_in_words(name: str, words: str) -> None:
    assert DeploymentConfig.parse(name, ECS).words == words


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"hooks": {"Install": Gate().target}}, "InvalidRevisionException"),
        ({"hooks": {"AfterInstall": Gate().target}, "platform": LAMBDA}, "InvalidRevisionException"),
        ({"rollback_events": ["NEVER"]}, "InvalidAutoRollbackConfigException"),
        ({"termination_wait_minutes": 2881}, "InvalidBlueGreenDeploymentConfigurationException"),
    ],
)
def test_invalid_groups_are_refused_with_codedeploys_error(options: dict[str, Any], code: str) -> None:
    with pytest.raises(EcsError) as refused:
        DeploymentGroup(**options)

    assert refused.value.code == code
