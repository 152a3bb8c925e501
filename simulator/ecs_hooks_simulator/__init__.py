"""ECS deployments on one machine: to see what a lifecycle hook does before ECS asks it.

The controller plays whole deployments with ECS's documented behaviour, in virtual time; what AWS does not document is
a switch in `Behaviour`.

Example
-------
A gate that refuses, and what ECS would say:

>>> from ecs_hooks_simulator import CallableTarget, DeploymentController, LifecycleHook, Service
>>> def lambda_handler(event, context):
...     return {"hookStatus": "FAILED", "reason": "green lists no orders"}
>>> gate = LifecycleHook(target=CallableTarget(lambda_handler, name="gate"), lifecycle_stages=["POST_SCALE_UP"])
>>> controller = DeploymentController(Service(service="api", lifecycle_hooks=[gate]))
>>> blue = controller.adopt(image="api:1")
>>> deployment = controller.deploy(image="api:2")
>>> print(deployment.status)
ROLLBACK_SUCCESSFUL
>>> print(deployment.status_reason)  # doctest: +NORMALIZE_WHITESPACE
Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed.
Lifecycle hook target arn:aws:lambda:us-west-2:123456789012:function:gate returned FAILED status.
"""

from __future__ import annotations

from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm
from ecs_hooks_simulator.core.clock import RealClock, VirtualClock
from ecs_hooks_simulator.core.errors import EcsError, HookInvocationError, TasksFailedError
from ecs_hooks_simulator.core.faults import Fault, FaultError, FaultKind
from ecs_hooks_simulator.core.hook_targets import CallableTarget, LambdaTarget
from ecs_hooks_simulator.core.model import DeploymentAlarms, LifecycleHook, Service, ServiceRevision
from ecs_hooks_simulator.core.protocols import Clock, HookTarget, ServiceDeployments, Tasks, Traffic
from ecs_hooks_simulator.core.record import DeploymentStatus, ServiceDeployment
from ecs_hooks_simulator.core.strategy import CanaryConfiguration, LinearConfiguration, Strategy
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.controller import DeploymentController
from ecs_hooks_simulator.ecs.undocumented import Behaviour

__all__ = [
    "AlarmError",
    "Behaviour",
    "CallableTarget",
    "CanaryConfiguration",
    "Clock",
    "DeploymentAlarms",
    "DeploymentController",
    "DeploymentStatus",
    "EcsError",
    "Fault",
    "FaultError",
    "FaultKind",
    "HookInvocationError",
    "HookTarget",
    "LambdaTarget",
    "LifecycleHook",
    "LinearConfiguration",
    "MetricAlarm",
    "RealClock",
    "Service",
    "ServiceDeployment",
    "ServiceDeployments",
    "ServiceRevision",
    "Strategy",
    "Tasks",
    "TasksFailedError",
    "Timeline",
    "Traffic",
    "VirtualClock",
]
