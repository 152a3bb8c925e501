from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks_cli.migrate.shifting import PREDEFINED, ShiftingError, shifting


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


def test_codedeploys_own() -> None:
    assert {name.removeprefix("CodeDeployDefault.ECS"): shifting(name).configuration for name in PREDEFINED} == {
        "AllAtOnce": {"strategy": "BLUE_GREEN"},
        "Canary10Percent5Minutes": canary(10.0, 5),
        "Canary10Percent15Minutes": canary(10.0, 15),
        "Linear10PercentEvery1Minutes": linear(10.0, 1),
        "Linear10PercentEvery3Minutes": linear(10.0, 3),
    }


def test_one_of_ones_own(tmp_path: Path) -> None:
    path = written(tmp_path, "TimeBasedCanary", canaryPercentage=25, canaryInterval=30)
    assert shifting(path) == (canary(25.0, 30), "CANARY: 25 percent, and the rest after 30 minutes")
    path = written(tmp_path, "TimeBasedLinear", wrapped=False, linearPercentage=20, linearInterval=2)
    assert shifting(path) == (linear(20.0, 2), "LINEAR: 20 percent every 2 minutes")
    assert shifting(written(tmp_path, "AllAtOnce")).configuration == {"strategy": "BLUE_GREEN"}


@pytest.mark.parametrize(
    ("kind", "numbers", "told"),
    [
        ("TimeBasedLinear", {"linearPercentage": 2, "linearInterval": 1}, "2 percent: ECS takes 3 to 100 at a LINEAR"),
        ("TimeBasedCanary", {"canaryPercentage": 0, "canaryInterval": 1}, "0 percent: ECS takes 1 to 100 at a CANARY"),
        ("TimeBasedCanary", {"canaryPercentage": 5, "canaryInterval": 2880}, "2880 minutes: ECS waits 1440 at most"),
        ("TimeBasedCanary", {"canaryPercentage": 5}, "is no JSON with trafficRoutingConfig"),
        ("TimeBasedLinear", {"linearPercentage": None, "linearInterval": 1}, "is no JSON with trafficRoutingConfig"),
        ("Other", {}, "trafficRoutingConfig.type: must be TimeBasedCanary, TimeBasedLinear or AllAtOnce"),
    ],
)
def test_what_ecs_has_nothing_like(tmp_path: Path, kind: str, numbers: dict[str, Any], told: str) -> None:
    path = written(tmp_path, kind, **numbers)
    with pytest.raises(ShiftingError) as raised:
        shifting(path)
    assert str(raised.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize("text", ["", "[]", "{}", "x", "\xff"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ShiftingError, match="is no JSON with trafficRoutingConfig"):
        shifting(str(tmp_path / "config.json"))


def test_unknown_names() -> None:
    with pytest.raises(ShiftingError, match=r"did you mean 'CodeDeployDefault\.ECSCanary10Percent5Minutes'"):
        shifting("CodeDeployDefault.ECSCanary10Percent6Minutes")
    with pytest.raises(
        ShiftingError, match=r"aws deploy get-deployment-config --deployment-config-name Mine > config\.json"
    ):
        shifting("Mine")
