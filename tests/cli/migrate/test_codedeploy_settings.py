from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks_cli.migrate.codedeploy_settings import PREDEFINED_CONFIGURATIONS, read_traffic_shift
from ecs_hooks_cli.migrate.document import DocumentError


def written(folder: Path, kind: str, wrapped: bool = True, **numbers: Any) -> str:
    member = {"TimeBasedCanary": "timeBasedCanary", "TimeBasedLinear": "timeBasedLinear"}.get(kind, "other")
    info = {"computePlatform": "ECS", "trafficRoutingConfig": {"type": kind, member: numbers}}
    file = folder / "config.json"
    file.write_text(json.dumps({"deploymentConfigInfo": info} if wrapped else info))
    return str(file)


def canary(percent: float, minutes: int) -> dict[str, Any]:
    return {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": percent, "canaryBakeTimeInMinutes": minutes},
    }


def linear(percent: float, minutes: int) -> dict[str, Any]:
    return {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": percent, "stepBakeTimeInMinutes": minutes}}


def test_the_predefined_configurations() -> None:
    assert {
        name.removeprefix("CodeDeployDefault.ECS"): read_traffic_shift(name).configuration
        for name in PREDEFINED_CONFIGURATIONS
    } == {
        "AllAtOnce": {"strategy": "BLUE_GREEN"},
        "Canary10Percent5Minutes": canary(10.0, 5),
        "Canary10Percent15Minutes": canary(10.0, 15),
        "Linear10PercentEvery1Minutes": linear(10.0, 1),
        "Linear10PercentEvery3Minutes": linear(10.0, 3),
    }


def test_a_configuration_in_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, "TimeBasedCanary", canaryPercentage=25, canaryInterval=30)
    assert read_traffic_shift(path) == (canary(25.0, 30), "CANARY: 25 percent, and the rest after 30 minutes")
    path = written(tmp_path, "TimeBasedLinear", wrapped=False, linearPercentage=20, linearInterval=2)
    assert read_traffic_shift(path) == (linear(20.0, 2), "LINEAR: 20 percent every 2 minutes")
    assert read_traffic_shift(written(tmp_path, "AllAtOnce")).configuration == {"strategy": "BLUE_GREEN"}


@pytest.mark.parametrize(
    ("kind", "numbers", "message"),
    [
        (
            "TimeBasedLinear",
            {"linearPercentage": 2, "linearInterval": 1},
            "2 percent: ECS allows 3 to 100 for strategy LINEAR",
        ),
        (
            "TimeBasedCanary",
            {"canaryPercentage": 0, "canaryInterval": 1},
            "0 percent: ECS allows 1 to 100 for strategy CANARY",
        ),
        ("TimeBasedCanary", {"canaryPercentage": 5, "canaryInterval": 2880}, "2880 minutes: ECS allows 0 to 1440"),
        ("TimeBasedCanary", {"canaryPercentage": 5}, "is not the JSON output of aws deploy get-deployment-config"),
        (
            "TimeBasedLinear",
            {"linearPercentage": None, "linearInterval": 1},
            "is not the JSON output of aws deploy get-deployment-config",
        ),
        (
            "Other",
            {},
            "trafficRoutingConfig.type: must be one of AllAtOnce, TimeBasedCanary, TimeBasedLinear, not Other",
        ),
    ],
)
def test_a_configuration_that_ecs_does_not_support_is_refused(
    tmp_path: Path, kind: str, numbers: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, kind, **numbers)
    with pytest.raises(DocumentError) as raised:
        read_traffic_shift(path)
    assert str(raised.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("text", ["", "[]", "{}", "x", "\xff"])
def test_an_invalid_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(DocumentError, match="is not the JSON output of aws deploy get-deployment-config"):
        read_traffic_shift(str(tmp_path / "config.json"))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"did you mean 'CodeDeployDefault\.ECSCanary10Percent5Minutes'"):
        read_traffic_shift("CodeDeployDefault.ECSCanary10Percent6Minutes")
    with pytest.raises(
        DocumentError, match=r"aws deploy get-deployment-config --deployment-config-name Mine > config\.json"
    ):
        read_traffic_shift("Mine")
