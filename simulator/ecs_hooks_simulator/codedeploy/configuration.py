"""Deployment configurations of CodeDeploy: how production traffic moves to the new version.

Source: CodeDeploy user guide, "Working with deployment configurations", and botocore's model of `TrafficRoutingConfig`.

Example
-------
>>> canary = DeploymentConfig.parse("CodeDeployDefault.ECSCanary10Percent5Minutes", ComputePlatform.ECS)
>>> canary.steps
[Step(percent=10, bake_minutes=5), Step(percent=100, bake_minutes=0)]
>>> DeploymentConfig.parse("Linear50PercentEvery2Minutes", ComputePlatform.LAMBDA).name
'Linear50PercentEvery2Minutes'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.strategy import Step

PREFIX = "CodeDeployDefault."
"""Of the names of the configurations that come with CodeDeploy."""


class ComputePlatform(StrEnum):
    """`computePlatform`: where applications run."""

    ECS = "ECS"
    LAMBDA = "Lambda"


class Routing(StrEnum):
    """`type` of a traffic routing configuration."""

    ALL_AT_ONCE = "AllAtOnce"
    CANARY = "TimeBasedCanary"
    LINEAR = "TimeBasedLinear"


_SHORT = {Routing.CANARY: "Canary", Routing.LINEAR: "Linear"}
_FORM = re.compile(r"AllAtOnce|Canary(\d+)Percent(\d+)Minutes?|Linear(\d+)PercentEvery(\d+)Minutes?")
_KNOWN = {
    ComputePlatform.ECS: (
        "AllAtOnce",
        "Canary10Percent5Minutes",
        "Canary10Percent15Minutes",
        "Linear10PercentEvery1Minutes",
        "Linear10PercentEvery3Minutes",
    ),
    ComputePlatform.LAMBDA: (
        "AllAtOnce",
        "Canary10Percent5Minutes",
        "Canary10Percent10Minutes",
        "Canary10Percent15Minutes",
        "Canary10Percent30Minutes",
        "Linear10PercentEvery1Minute",
        "Linear10PercentEvery2Minutes",
        "Linear10PercentEvery3Minutes",
        "Linear10PercentEvery10Minutes",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """A deployment configuration.

    Parameters
    ----------
    name
        `deploymentConfigName`.
    routing
        How traffic moves.
    percentage
        `canaryPercentage` or `linearPercentage`: what is moved at once, 1 to 99.
    minutes
        `canaryInterval` or `linearInterval`: how long until the next increment, 1 to 2880.

    Raises
    ------
    EcsError
        If CodeDeploy would refuse it.
    """

    name: str
    routing: Routing = Routing.ALL_AT_ONCE
    percentage: int = 100
    minutes: int = 0

    def __post_init__(self) -> None:
        """Refuse what CodeDeploy refuses."""
        # The limits are those of the console; the API reference names none.
        fits = 1 <= self.percentage <= 99 and 1 <= self.minutes <= 2880  # noqa: PLR2004 - per cent, and two days
        if self.routing is not Routing.ALL_AT_ONCE and not fits:
            raise EcsError(
                "InvalidTrafficRoutingConfigurationException",
                f"{self.name}: a percentage from 1 to 99 and an interval from 1 to 2880 minutes are expected",
            )

    @classmethod
    def parse(cls, text: str, platform: ComputePlatform) -> DeploymentConfig:
        """Make a configuration of its name.

        Parameters
        ----------
        text
            One of CodeDeploy's own, with or without `CodeDeployDefault.ECS` or `CodeDeployDefault.Lambda`; or any other
            of the forms `Canary25Percent3Minutes` and `Linear20PercentEvery2Minutes`, which is a custom one.
        platform
            Where applications run.

        Raises
        ------
        EcsError
            If there is none of this name.
        """
        plain = text.removeprefix(PREFIX).removeprefix(str(platform))
        known = [PREFIX + platform + each for each in _KNOWN[platform]]
        form = _FORM.fullmatch(plain)
        own = PREFIX + platform + plain
        if form is None or (text.startswith(PREFIX) and own not in known):
            raise EcsError(
                "DeploymentConfigDoesNotExistException",
                f"{text} is no deployment configuration for {platform}; there are {', '.join(known)}, and names such as Canary25Percent3Minutes for your own",
            )
        name = own if own in known else plain
        match form.groups():
            case (str(percentage), str(minutes), _, _):
                return cls(name=name, routing=Routing.CANARY, percentage=int(percentage), minutes=int(minutes))
            case (_, _, str(percentage), str(minutes)):
                return cls(name=name, routing=Routing.LINEAR, percentage=int(percentage), minutes=int(minutes))
            case _:
                return cls(name=name)

    @classmethod
    def predefined(cls, platform: ComputePlatform) -> list[DeploymentConfig]:
        """Return the configurations that come with CodeDeploy."""
        return [cls.parse(PREFIX + platform + each, platform) for each in _KNOWN[platform]]

    @property
    def steps(self) -> list[Step]:
        """The shifts of production traffic; the first comes at once."""
        if self.routing is Routing.ALL_AT_ONCE:
            return [Step(100, 0)]
        shares = (self.percentage,) if self.routing is Routing.CANARY else range(self.percentage, 100, self.percentage)
        return [*(Step(share, self.minutes) for share in shares), Step(100, 0)]

    @property
    def words(self) -> str:
        """The configuration in words."""
        how = {
            Routing.ALL_AT_ONCE: "all at once",
            Routing.CANARY: f"{self.percentage} % for {self.minutes} minutes, then all",
            Routing.LINEAR: f"{self.percentage} % more every {self.minutes} minutes",
        }
        return f"{self.name}: {how[self.routing]}"

    def to_dict(self) -> dict[str, Any]:
        """Return `trafficRoutingConfig` in the API's shape."""
        if self.routing is Routing.ALL_AT_ONCE:
            return {"type": str(self.routing)}
        kind = _SHORT[self.routing].lower()
        shape = {f"{kind}Percentage": self.percentage, f"{kind}Interval": self.minutes}
        return {"type": str(self.routing), f"timeBased{_SHORT[self.routing]}": shape}
