"""A hook that is attached to a service, and what is examined of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.aws.call import reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.green import Configured
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.plan.model import Plan
from ecs_hooks.plan.source import PlanReference
from ecs_hooks_cli.common.service import (
    Hook,
    Service,
    describe_deployment,
    event,
    running_deployment,
)
from ecs_hooks_cli.doctor.function import Function, LambdaArn

if TYPE_CHECKING:
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.checks import Check

_NO_ID = "0"
"""Id in ARNs of things that are not there yet, such as the next deployment."""


class Now(NamedTuple):
    """The deployment that is going on.

    Parameters
    ----------
    arn
        Its ARN.
    revision
        ARN of the revision that it deploys.
    stage
        The stage it is at.
    """

    arn: str
    revision: str
    stage: str


class Examined:
    """The service under examination: what is asked of AWS about it is asked once.

    Parameters
    ----------
    service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        with reading("ecs:DescribeServices"):
            self.service_arn = str(service.described["serviceArn"])
            arn = EcsArn.parse(self.service_arn, "service")
            # The ARNs of services did not name the cluster before 2021; those of their deployments do.
            self.arn = arn._replace(cluster=str(service.described["clusterArn"]).rpartition("/")[2])

    def resource(self, kind: str, identifier: str = _NO_ID) -> str:
        """Return the ARN of a deployment or revision of the service."""
        return str(self.arn._replace(kind=kind, id=identifier))

    @cached_property
    def now(self) -> Now | None:
        """The deployment that is going on; None where none is."""
        arn = running_deployment(self.arn.cluster, self.arn.service, self.arn.region)
        if arn is None:
            return None
        described = describe_deployment(arn)
        with reading("ecs:DescribeServiceDeployments"):
            return Now(str(arn), described["targetServiceRevision"]["arn"], str(described.get("lifecycleStage")))

    def deployment(self, stage: str) -> ServiceDeployment:
        """Return the deployment as a hook at a stage sees it: what is going on, or else what runs."""
        if self.now is not None:
            deployment, revision = self.now.arn, self.now.revision
        else:
            running = self.service.described.get("currentServiceRevisions") or []
            if not running:
                raise FactError("the service has no revision yet")
            with reading("ecs:DescribeServices"):
                deployment, revision = self.resource("service-deployment"), str(running[0]["arn"])
        with reading("ecs:DescribeServiceDeployments"):
            return ServiceDeployment(LifecycleEvent.parse(event(deployment, revision, stage)))


class AttachedHook:
    """A Lambda hook of a service.

    Parameters
    ----------
    examined
        The service.
    hook
        The hook, as DescribeServices shows it.
    """

    def __init__(self, examined: Examined, hook: Hook) -> None:
        self.examined = examined
        self.hook = hook
        self.target = str(hook["hookTargetArn"])
        self.arn = LambdaArn.parse(self.target)
        self.role = str(hook.get("roleArn") or "")
        self.stages = [str(stage) for stage in hook.get("lifecycleStages") or []]
        self.timeout: Mapping[str, Any] = hook.get("timeoutConfiguration") or {}

    def event(self, stage: str) -> LifecycleEvent:
        """Return the event with which ECS would invoke the hook."""
        deployment = self.examined.resource("service-deployment")
        revision = self.examined.resource("service-revision")
        return LifecycleEvent.parse(event(deployment, revision, stage, self.hook.get("hookDetails")))


class Prepared(NamedTuple):
    """A hook of which function and plan are known.

    Parameters
    ----------
    hook
        The hook.
    function
        The function it invokes.
    plans
        Its plan by stage.
    reference
        Where the plan is kept; None where `hookDetails` has it.
    """

    hook: AttachedHook
    function: Function
    plans: Mapping[str, Plan]
    reference: PlanReference | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of the function: that of this machine is not what counts."""
        return self.function.environment or {}

    @property
    def secrets(self) -> tuple[Reference, ...]:
        """The secrets that the checks have by reference, each once."""
        found = (each for check in self._checks for each in check.requirements().secrets)
        return tuple(dict.fromkeys(each.model_copy(update={"key": None}) for each in found))

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that the checks assume, each once."""
        return tuple(dict.fromkeys(each for check in self._checks for each in check.requirements().roles))

    @property
    def _checks(self) -> Iterator[Check]:
        return (check for plan in self.plans.values() for check in plan.checks)

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions that the plan and its checks need."""
        of_plan = frozenset({self.reference.action} if self.reference else ())
        service = self.hook.examined.service
        serving = Serving(service.load_balancing, service.port_names)
        return of_plan.union(
            *(
                check.requirements().iam_actions(SharedActions.of(configured(plan), stage, serving, self.environment))
                for stage, plan in self.plans.items()
                for check in plan.checks
            )
        )


def configured(plan: Plan) -> Configured:
    """Return what a plan says of the address of green."""
    return Configured(plan.policies.base_url, plan.policies.host, plan.policies.service_connect)
