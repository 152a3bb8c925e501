"""ECS deployments on one machine, to try a lifecycle hook before ECS invokes it.

`simulate` plays a whole deployment with a handler as hook: real applications, a real load balancer, ECS's documented
behaviour, and virtual time. `Simulation` plays several deployments or several hooks. `DeploymentController` plays
deployments without applications. The options of `EcsBehaviour` cover what AWS does not document.

Example
-------
A hook that fails, and the end of the deployment:

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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecs_hooks_simulator.application import Application as Application
    from ecs_hooks_simulator.aws.metric_alarm import AlarmError as AlarmError
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm as MetricAlarm
    from ecs_hooks_simulator.core.clock import Clock as Clock
    from ecs_hooks_simulator.core.clock import RealClock as RealClock
    from ecs_hooks_simulator.core.clock import VirtualClock as VirtualClock
    from ecs_hooks_simulator.core.errors import EcsError as EcsError
    from ecs_hooks_simulator.core.errors import HookInvocationError as HookInvocationError
    from ecs_hooks_simulator.core.errors import TasksFailedError as TasksFailedError
    from ecs_hooks_simulator.core.faults import Fault as Fault
    from ecs_hooks_simulator.core.faults import FaultError as FaultError
    from ecs_hooks_simulator.core.faults import FaultKind as FaultKind
    from ecs_hooks_simulator.core.hook_targets import CallableTarget as CallableTarget
    from ecs_hooks_simulator.core.hook_targets import HookTarget as HookTarget
    from ecs_hooks_simulator.core.hook_targets import LambdaTarget as LambdaTarget
    from ecs_hooks_simulator.core.model import CanaryConfiguration as CanaryConfiguration
    from ecs_hooks_simulator.core.model import DeploymentAlarms as DeploymentAlarms
    from ecs_hooks_simulator.core.model import LifecycleHook as LifecycleHook
    from ecs_hooks_simulator.core.model import LinearConfiguration as LinearConfiguration
    from ecs_hooks_simulator.core.model import Service as Service
    from ecs_hooks_simulator.core.model import Strategy as Strategy
    from ecs_hooks_simulator.core.protocols import ServiceDeployments as ServiceDeployments
    from ecs_hooks_simulator.core.protocols import Tasks as Tasks
    from ecs_hooks_simulator.core.protocols import Traffic as Traffic
    from ecs_hooks_simulator.core.service_deployment import DeploymentStatus as DeploymentStatus
    from ecs_hooks_simulator.core.service_deployment import ServiceDeployment as ServiceDeployment
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision as ServiceRevision
    from ecs_hooks_simulator.core.timeline import Timeline as Timeline
    from ecs_hooks_simulator.ecs.controller import DeploymentController as DeploymentController
    from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour as EcsBehaviour
    from ecs_hooks_simulator.simulation import Simulation as Simulation
    from ecs_hooks_simulator.simulation import SimulationResult as SimulationResult
    from ecs_hooks_simulator.simulation import demo_application as demo_application
    from ecs_hooks_simulator.simulation import simulate as simulate

_MODULES = {
    "application": ("Application",),
    "aws.metric_alarm": ("AlarmError", "MetricAlarm"),
    "core.clock": ("Clock", "RealClock", "VirtualClock"),
    "core.errors": ("EcsError", "HookInvocationError", "TasksFailedError"),
    "core.faults": ("Fault", "FaultError", "FaultKind"),
    "core.hook_targets": ("CallableTarget", "HookTarget", "LambdaTarget"),
    "core.model": (
        "CanaryConfiguration",
        "DeploymentAlarms",
        "LifecycleHook",
        "LinearConfiguration",
        "Service",
        "Strategy",
    ),
    "core.protocols": ("ServiceDeployments", "Tasks", "Traffic"),
    "core.service_deployment": ("DeploymentStatus", "ServiceDeployment", "ServiceRevision"),
    "core.timeline": ("Timeline",),
    "ecs.controller": ("DeploymentController",),
    "ecs.undocumented": ("EcsBehaviour",),
    "simulation": ("Simulation", "SimulationResult", "demo_application", "simulate"),
}
"""The module of each public name, imported on first use: pytest loads this package in every run, for its plugin."""
__all__ = [name for names in _MODULES.values() for name in names]


def __getattr__(name: str) -> Any:
    """Import a public name."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"ecs_hooks_simulator.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
