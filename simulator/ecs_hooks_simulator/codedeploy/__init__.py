"""CodeDeploy's deployments of ECS services and of Lambda functions, with their hooks, on one machine.

The controller plays whole deployments with CodeDeploy's documented behaviour, in virtual time. Where AWS's documentation
leaves the behaviour open, `CodeDeployBehaviour` has the choice.
"""

from __future__ import annotations

from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
from ecs_hooks_simulator.codedeploy.deployment import Deployment, DeploymentStatus
from ecs_hooks_simulator.codedeploy.deployment_group import DeploymentConfig, DeploymentGroup, RollbackEvent
from ecs_hooks_simulator.codedeploy.lifecycle import ComputePlatform
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
