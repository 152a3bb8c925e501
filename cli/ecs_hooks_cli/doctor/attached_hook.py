"""A hook that is attached to a service, with the facts that several examinations need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.aws.call import parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.green import EndpointConfig, app_url_of
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.plan.model import Plan
from ecs_hooks.plan.source import PlanReference
from ecs_hooks_cli.common.service import Hook, Service, describe_deployment, hook_event, running_deployment
from ecs_hooks_cli.doctor.function import Function, LambdaArn

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.checks.base import Requirements

_NO_ID = "0"
"""Id in the ARNs of deployments and revisions that do not exist yet."""


class RunningDeployment(NamedTuple):
    """The service deployment in progress: its ARN, its target revision and its lifecycle stage."""

    arn: str
    revision: str
    stage: str


class ExaminedService:
    """The service, with facts that are read from AWS once for all its hooks."""

    def __init__(self, service: Service) -> None:
        self.service = service
        with parsing("ecs:DescribeServices"):
            self.service_arn = str(service.described["serviceArn"])
            arn = EcsArn.parse(self.service_arn, "service")
            # Service ARNs created before 2021 do not contain the cluster; the ARNs of their deployments do.
            self.arn = arn._replace(cluster=str(service.described["clusterArn"]).rpartition("/")[2])

    def next_arn(self, kind: str) -> str:
        """Return the ARN of a deployment or revision that does not exist yet."""
        return str(self.arn._replace(kind=kind, id=_NO_ID))

    @cached_property
    def running(self) -> RunningDeployment | None:
        """The deployment in progress; None if there is none."""
        arn = running_deployment(self.arn.cluster, self.arn.service, self.arn.region)
        if arn is None:
            return None
        described = describe_deployment(arn)
        with parsing("ecs:DescribeServiceDeployments"):
            revision = described["targetServiceRevision"]["arn"]
            return RunningDeployment(str(arn), revision, str(described.get("lifecycleStage")))

    def is_at(self, stage: str) -> bool:
        """Return whether a deployment is at this stage now."""
        return self.running is not None and self.running.stage == stage

    def deployment(self, stage: str) -> ServiceDeployment:
        """Return the deployment as a hook at this stage sees it; without one in progress, of the current revision."""
        if self.running is not None:
            deployment, revision = self.running.arn, self.running.revision
        else:
            current = self.service.described.get("currentServiceRevisions") or []
            if not current:
                raise FactError("the service has no revision yet")
            with parsing("ecs:DescribeServices"):
                deployment, revision = self.next_arn("service-deployment"), str(current[0]["arn"])
        with parsing("ecs:DescribeServiceDeployments"):
            return ServiceDeployment(LifecycleEvent.parse(hook_event(deployment, revision, stage)))


class AttachedHook:
    """A Lambda hook of a service.

    Parameters
    ----------
    examined
        The service.
    hook
        The hook in the answer of DescribeServices.
    """

    def __init__(self, examined: ExaminedService, hook: Hook) -> None:
        self.examined = examined
        self.hook = hook
        self.target = str(hook["hookTargetArn"])
        self.arn = LambdaArn.parse(self.target)
        self.role = str(hook.get("roleArn") or "")
        self.stages = [str(stage) for stage in hook.get("lifecycleStages") or []]
        self.timeout: Mapping[str, Any] = hook.get("timeoutConfiguration") or {}

    def event(self, stage: str) -> LifecycleEvent:
        """Return the event that ECS would send to the hook."""
        deployment, revision = (self.examined.next_arn(f"service-{kind}") for kind in ("deployment", "revision"))
        return LifecycleEvent.parse(hook_event(deployment, revision, stage, self.hook.get("hookDetails")))


class PlannedHook(NamedTuple):
    """A hook whose function and plan are known.

    Parameters
    ----------
    attached
        The hook.
    function
        Its Lambda function.
    plans
        Its plan by stage.
    reference
        Where the plan is stored; None if it is in `hookDetails`.
    """

    attached: AttachedHook
    function: Function
    plans: Mapping[str, Plan]
    reference: PlanReference | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's environment variables, not those of this machine."""
        return self.function.environment or {}

    def has_address(self, plan: Plan) -> bool:
        """Return whether the plan or the function's `APP_URL` has the address of green."""
        return bool(plan.policies.base_url or app_url_of(self.environment))

    @property
    def secrets(self) -> tuple[Reference, ...]:
        """The secrets that the checks refer to, without duplicates."""
        found = (each for required in self._requirements for each in required.secrets)
        return tuple(dict.fromkeys(each.model_copy(update={"key": None}) for each in found))

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that the checks assume, without duplicates."""
        return tuple(dict.fromkeys(role for required in self._requirements for role in required.roles))

    @property
    def _requirements(self) -> Iterator[Requirements]:
        return (check.requirements() for plan in self.plans.values() for check in plan.checks)

    @property
    def actions(self) -> frozenset[str]:
        """The IAM actions that the plan and its checks require."""
        service = self.attached.examined.service
        serving = Serving(service.load_balancing, service.port_names)
        return frozenset({self.reference.action} if self.reference else ()).union(
            *(
                check.requirements().iam_actions(SharedActions.of(configured(plan), stage, serving, self.environment))
                for stage, plan in self.plans.items()
                for check in plan.checks
            )
        )


def configured(plan: Plan) -> EndpointConfig:
    """Return the plan's fields about the address of green."""
    return EndpointConfig(plan.policies.base_url, plan.policies.host, plan.policies.service_connect)
