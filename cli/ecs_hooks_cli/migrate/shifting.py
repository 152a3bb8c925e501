"""How traffic shifts: CodeDeploy's deployment configurations, and the strategies of ECS."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ecs_hooks.core.formatting import nearest

PREDEFINED = (
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent15Minutes",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
)
"""The configurations that CodeDeploy has for ECS."""

MOST_MINUTES = 1_440
"""Minutes that ECS bakes at most, at a step and at the end."""
_LEAST_STEP = 3
"""Percent of a step of a linear deployment, at least."""
_NUMBERS = re.compile(r"CodeDeployDefault\.ECS(Canary|Linear)(\d+)Percent(?:Every)?(\d+)Minutes")


class ShiftingError(ValueError):
    """A deployment configuration is not one, or ECS has none like it."""


class Shifting(NamedTuple):
    """How traffic shifts.

    Parameters
    ----------
    configuration
        What `deploymentConfiguration` of ECS says of it.
    text
        The same in words.
    """

    configuration: Mapping[str, Any]
    text: str


def shifting(name: str) -> Shifting:
    """Return the strategy in place of a deployment configuration.

    Parameters
    ----------
    name
        The name of one of CodeDeploy's own, or a file with what `aws deploy get-deployment-config` prints.

    Raises
    ------
    ShiftingError
        If it is neither, or ECS has no such strategy.
    """
    if name in PREDEFINED:
        matched = _NUMBERS.fullmatch(name)
        return _made(matched[1] if matched else "AllAtOnce", *(map(int, matched.groups()[1:]) if matched else (0, 0)))
    path = Path(name)
    if path.is_file():
        return _of_file(path)
    if name.startswith("CodeDeployDefault."):
        raise ShiftingError(f"{name} is no configuration for ECS{nearest(name, PREDEFINED)}")
    raise ShiftingError(
        f"{name} is neither one of CodeDeploy's own ({', '.join(PREDEFINED)}) nor a file; for a configuration of yours: "
        f"aws deploy get-deployment-config --deployment-config-name {name} > config.json, then --deployment-config config.json"
    )


def _of_file(path: Path) -> Shifting:
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        info = whole.get("deploymentConfigInfo", whole)
        routing = info["trafficRoutingConfig"]
        kind = str(routing["type"])
        if kind == "TimeBasedCanary":
            canary = routing["timeBasedCanary"]
            return _made("Canary", int(canary["canaryPercentage"]), int(canary["canaryInterval"]))
        if kind == "TimeBasedLinear":
            linear = routing["timeBasedLinear"]
            return _made("Linear", int(linear["linearPercentage"]), int(linear["linearInterval"]))
    except ShiftingError as error:
        raise ShiftingError(f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ShiftingError(
            f"{path}: is no JSON with trafficRoutingConfig, as aws deploy get-deployment-config prints it"
        ) from None
    if kind != "AllAtOnce":
        raise ShiftingError(f"{path}: trafficRoutingConfig.type: must be TimeBasedCanary, TimeBasedLinear or AllAtOnce")
    return _made("AllAtOnce", 0, 0)


def _made(kind: str, percent: int, minutes: int) -> Shifting:
    if kind == "AllAtOnce":
        return Shifting({"strategy": "BLUE_GREEN"}, "BLUE_GREEN: all of the traffic at once")
    least = _LEAST_STEP if kind == "Linear" else 1
    if not least <= percent <= 100:  # noqa: PLR2004 - percent
        raise ShiftingError(f"{percent} percent: ECS takes {least} to 100 at a {kind.upper()} deployment")
    if not 0 <= minutes <= MOST_MINUTES:
        raise ShiftingError(f"{minutes} minutes: ECS waits {MOST_MINUTES} at most")
    if kind == "Linear":
        linear = {"stepPercent": float(percent), "stepBakeTimeInMinutes": minutes}
        text = f"LINEAR: {percent} percent every {minutes} minutes"
        return Shifting({"strategy": "LINEAR", "linearConfiguration": linear}, text)
    canary = {"canaryPercent": float(percent), "canaryBakeTimeInMinutes": minutes}
    text = f"CANARY: {percent} percent, and the rest after {minutes} minutes"
    return Shifting({"strategy": "CANARY", "canaryConfiguration": canary}, text)
