"""The deployment group of CodeDeploy: alarms, waiting times and the service itself."""

from __future__ import annotations

import json
from typing import Annotated, Any, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ecs_hooks.core.validation_errors import described
from ecs_hooks_cli.migrate.place import DocumentError

_COMMAND = "aws deploy get-deployment-group --application-name NAME --deployment-group-name NAME"
_Minutes = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Alarm(_Part):
    name: str


class _Alarms(_Part):
    enabled: bool = False
    ignore_poll_alarm_failure: bool = False
    alarms: list[_Alarm] = []


class _Rollback(_Part):
    enabled: bool = False
    events: list[str] = []


class _Termination(_Part):
    action: str = "TERMINATE"
    termination_wait_time_in_minutes: _Minutes = 0


class _Ready(_Part):
    action_on_timeout: str = "CONTINUE_DEPLOYMENT"
    wait_time_in_minutes: _Minutes = 0


class _BlueGreen(_Part):
    terminate_blue_instances_on_deployment_success: _Termination | None = None
    deployment_ready_option: _Ready | None = None


class _Service(_Part):
    service_name: str
    cluster_name: str


class _TargetGroup(_Part):
    name: str


class _Route(_Part):
    listener_arns: list[str] = []


class _Pair(_Part):
    target_groups: list[_TargetGroup] = []
    prod_traffic_route: _Route | None = None
    test_traffic_route: _Route | None = None


class _LoadBalancers(_Part):
    target_group_pair_info_list: list[_Pair] = []


class Group(_Part):
    """A deployment group, as GetDeploymentGroup describes it; what ECS has nothing like is left out."""

    deployment_config_name: str | None = None
    compute_platform: str = "ECS"
    alarm_configuration: _Alarms | None = None
    auto_rollback_configuration: _Rollback | None = None
    blue_green_deployment_configuration: _BlueGreen = _BlueGreen()
    load_balancer_info: _LoadBalancers | None = None
    ecs_services: list[_Service] = []
    trigger_configurations: list[dict[str, Any]] = []

    @property
    def pair(self) -> _Pair | None:
        """Target groups and listeners; CodeDeploy has one pair at most."""
        pairs = self.load_balancer_info.target_group_pair_info_list if self.load_balancer_info else []
        return pairs[0] if pairs else None


def read_group(file: TextIO) -> Group:
    """Return the deployment group in a file: what `aws deploy get-deployment-group` prints.

    Raises
    ------
    DocumentError
        If it is none, or none of an ECS service.
    """
    try:
        whole = json.load(file)
        inner = whole.get("deploymentGroupInfo", whole) if isinstance(whole, dict) else whole
        group = Group.model_validate(inner)
    except ValidationError as error:
        raise DocumentError("; ".join(described(error, "deploymentGroupInfo", Group))) from None
    except (ValueError, RecursionError):
        raise DocumentError(f"is no JSON as {_COMMAND} prints it") from None
    if group.compute_platform != "ECS":
        raise DocumentError(
            f"deploymentGroupInfo.computePlatform: is {group.compute_platform}; only groups of ECS services can move over"
        )
    return group
