"""CodeDeploy's deployments on one machine: of ECS services and of Lambda functions, with their hooks.

The controller plays whole deployments with CodeDeploy's documented behaviour, in virtual time; what AWS does not document
is a switch in `CodeDeployBehaviour`.
"""

from __future__ import annotations

from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform, DeploymentConfig
from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
from ecs_hooks_simulator.codedeploy.model import DeploymentGroup, RollbackEvent
from ecs_hooks_simulator.codedeploy.record import Deployment, DeploymentStatus
from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour

__all__ = [
    "CodeDeployBehaviour",
    "CodeDeployController",
    "ComputePlatform",
    "Deployment",
    "DeploymentConfig",
    "DeploymentGroup",
    "DeploymentStatus",
    "RollbackEvent",
]
