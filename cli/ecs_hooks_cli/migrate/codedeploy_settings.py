"""CodeDeploy's settings outside the AppSpec: the deployment group, and the deployment configuration that shifts traffic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.json_text import read_json
from ecs_hooks.core.validation_errors import error_lines
from ecs_hooks_cli.migrate.document import DocumentError

PREDEFINED_CONFIGURATIONS = (
    "CodeDeployDefault.ECSAllAtOnce",
    "CodeDeployDefault.ECSCanary10Percent15Minutes",
    "CodeDeployDefault.ECSCanary10Percent5Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
)
MAX_BAKE_MINUTES = 1_440
"""ECS's maximum bake time, of a step and of the deployment."""
_MIN_LINEAR_PERCENT = 3
_PREDEFINED_NUMBERS = re.compile(r"CodeDeployDefault\.ECS(Canary|Linear)(\d+)Percent(?:Every)?(\d+)Minutes")
_TYPES = {"AllAtOnce": "AllAtOnce", "TimeBasedCanary": "Canary", "TimeBasedLinear": "Linear"}
_GET_GROUP = "aws deploy get-deployment-group --application-name NAME --deployment-group-name NAME"
_GET_CONFIGURATION = "aws deploy get-deployment-config"
_Minutes = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: Any) -> Any:
        """Null is absent."""
        return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


class _Named(_Model):
    name: str


class _Alarms(_Model):
    enabled: bool = False
    ignore_poll_alarm_failure: bool = False
    alarms: list[_Named] = []


class _Rollback(_Model):
    enabled: bool = False
    events: list[str] = []


class _Termination(_Model):
    action: str = "TERMINATE"
    termination_wait_time_in_minutes: _Minutes = 0


class _Ready(_Model):
    action_on_timeout: str = "CONTINUE_DEPLOYMENT"
    wait_time_in_minutes: _Minutes = 0


class _BlueGreen(_Model):
    terminate_blue_instances_on_deployment_success: _Termination | None = None
    deployment_ready_option: _Ready | None = None


class _Service(_Model):
    service_name: str
    cluster_name: str


class _Route(_Model):
    listener_arns: list[str] = []


class _TargetGroupPair(_Model):
    target_groups: list[_Named] = []
    prod_traffic_route: _Route | None = None
    test_traffic_route: _Route | None = None


class _LoadBalancers(_Model):
    target_group_pair_info_list: list[_TargetGroupPair] = []


class DeploymentGroup(_Model):
    """The part of GetDeploymentGroup's answer that matters to ECS."""

    deployment_config_name: str | None = None
    compute_platform: str = "ECS"
    alarm_configuration: _Alarms | None = None
    auto_rollback_configuration: _Rollback | None = None
    blue_green_deployment_configuration: _BlueGreen = _BlueGreen()
    load_balancer_info: _LoadBalancers | None = None
    ecs_services: list[_Service] = []
    trigger_configurations: list[dict[str, Any]] = []

    @property
    def pair(self) -> _TargetGroupPair | None:
        """Target groups and listeners; CodeDeploy allows one pair."""
        pairs = self.load_balancer_info.target_group_pair_info_list if self.load_balancer_info else []
        return pairs[0] if pairs else None


def read_group(file: TextIO) -> DeploymentGroup:
    """Return the deployment group in the output of `aws deploy get-deployment-group`.

    Raises
    ------
    DocumentError
        If it is not valid, or not of an ECS service.
    """
    try:
        whole = read_json(file.read(), strict=True)
        inner = (whole.get("deploymentGroupInfo") or whole) if isinstance(whole, dict) else whole
        group = DeploymentGroup.model_validate(inner)
    except ValidationError as error:
        raise DocumentError("; ".join(error_lines(error, "deploymentGroupInfo", DeploymentGroup))) from None
    except (ValueError, RecursionError):
        raise DocumentError(f"is not the JSON output of {_GET_GROUP}") from None
    if group.compute_platform != "ECS":
        raise DocumentError(
            f"deploymentGroupInfo.computePlatform: must be ECS, not {group.compute_platform}; only ECS services can migrate"
        )
    return group


class TrafficShift(NamedTuple):
    """How traffic shifts: as fields of ECS's `deploymentConfiguration`, and in words."""

    configuration: Mapping[str, Any]
    text: str


def read_traffic_shift(name: str) -> TrafficShift:
    """Return ECS's strategy for a predefined configuration, or for a file with the output of `get-deployment-config`.

    Raises
    ------
    DocumentError
        If it is neither, or ECS does not support it.
    """
    if name in PREDEFINED_CONFIGURATIONS:
        matched = _PREDEFINED_NUMBERS.fullmatch(name)
        return _shift(matched[1], int(matched[2]), int(matched[3])) if matched else _shift("AllAtOnce", 0, 0)
    path = Path(name)
    if path.is_file():
        return _read_file(path)
    if name.startswith("CodeDeployDefault."):
        raise DocumentError(
            f"{name} is not a predefined configuration for ECS{nearest(name, PREDEFINED_CONFIGURATIONS)}"
        )
    raise DocumentError(
        f"{name} is neither a predefined configuration ({', '.join(PREDEFINED_CONFIGURATIONS)}) nor a file; for your own "
        f"configuration run {_GET_CONFIGURATION} --deployment-config-name {name} > config.json, and set "
        "--deployment-config config.json"
    )


def _read_file(path: Path) -> TrafficShift:
    percent = minutes = 0
    try:
        whole = read_json(path.read_bytes(), strict=True)
        routing = (whole.get("deploymentConfigInfo") or whole)["trafficRoutingConfig"]
        kind = _TYPES.get(routing["type"])
        if kind in {"Canary", "Linear"}:
            numbers, prefix = routing[f"timeBased{kind}"], kind.lower()
            percent, minutes = int(numbers[f"{prefix}Percentage"]), int(numbers[f"{prefix}Interval"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DocumentError(
            f"{path}: is not the JSON output of {_GET_CONFIGURATION}, with trafficRoutingConfig"
        ) from None
    if kind is None:
        allowed = ", ".join(_TYPES)
        raise DocumentError(f"{path}: trafficRoutingConfig.type: must be one of {allowed}, not {routing['type']}")
    return _shift(kind, percent, minutes, f"{path}: ")


def _shift(kind: str, percent: int, minutes: int, place: str = "") -> TrafficShift:
    if kind == "AllAtOnce":
        return TrafficShift({"strategy": "BLUE_GREEN"}, "BLUE_GREEN: all of the traffic at once")
    least = _MIN_LINEAR_PERCENT if kind == "Linear" else 1
    if not least <= percent <= 100:  # noqa: PLR2004 - percent
        raise DocumentError(f"{place}{percent} percent: ECS allows {least} to 100 for strategy {kind.upper()}")
    if not 0 <= minutes <= MAX_BAKE_MINUTES:
        raise DocumentError(f"{place}{minutes} minutes: ECS allows 0 to {MAX_BAKE_MINUTES}")
    if kind == "Linear":
        linear = {"stepPercent": float(percent), "stepBakeTimeInMinutes": minutes}
        text = f"LINEAR: {percent} percent every {minutes} minutes"
        return TrafficShift({"strategy": "LINEAR", "linearConfiguration": linear}, text)
    canary = {"canaryPercent": float(percent), "canaryBakeTimeInMinutes": minutes}
    text = f"CANARY: {percent} percent, and the rest after {minutes} minutes"
    return TrafficShift({"strategy": "CANARY", "canaryConfiguration": canary}, text)
