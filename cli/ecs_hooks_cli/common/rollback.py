"""Rollbacks that ECS reports as a failed lifecycle hook although none failed.

ECS changes listeners at TEST_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT. If AWS refuses that to ECS, the service event and
the deployment's `statusReason` have the words of a failed hook (ECS developer guide, troubleshooting of lifecycle hooks).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FAILED_HOOK = re.compile(r"because ([A-Z_]+) lifecycle hook\(?s?\)? failed\.?\s*(.*)", re.DOTALL)
_OF_HOOK = re.compile(
    r"lifecycle hook target|\bhook target\b|unable to (?:invoke|parse the response)|HookStatus|ECS-Lambda-Execution"
    r"|lambda:InvokeFunction|arn:[a-z-]+:lambda:|\blambda function\b|returned FAILED",
    re.IGNORECASE,
)
_OF_LISTENER = re.compile(
    r"ECSNetworkingWithELB|elasticloadbalancing|elastic load balancing|\bELB\b|listener|target ?group|load ?balancer",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:not authorized to perform:?|perform) (?P<action>[a-z-]+:[A-Za-z]+)(?: on resource:? (?P<arn>\S+))?"
)
_ROLE = re.compile(r"assumed-role/(?P<role>[^/\s]+)/")
_MAX_LENGTH = 300


class ListenerFailure(NamedTuple):
    """ECS's own failure to change a listener.

    Parameters
    ----------
    stage
        The lifecycle stage.
    reason
        ECS's words, without those about a hook.
    role, action, resource
        What AWS refused, and to which role; empty where the reason has none.
    """

    stage: str
    reason: str
    role: str = ""
    action: str = ""
    resource: str = ""

    @property
    def text(self) -> str:
        """One line for a person."""
        why = self.reason
        if self.action:
            subject = f"role {self.role}" if self.role else "the role of the load balancer"
            why = f"{subject} does not allow {self.action}{f' for {self.resource}' if self.resource else ''}"
        return f"ECS reports failed hooks at {self.stage}, but no hook failed: ECS could not change the listener: {why}"

    @property
    def fix(self) -> str:
        """What to do."""
        if self.action:
            return (
                f"allow {self.action} in the infrastructure role of the load balancer (advancedConfiguration.roleArn); "
                "the managed policy AmazonECSInfrastructureRolePolicyForLoadBalancers has what ECS requires"
            )
        return "correct the load balancer, its listener rules or its role (advancedConfiguration), then deploy again"


def listener_failure(reason: str) -> ListenerFailure | None:
    """Return ECS's own failure in a service event or `statusReason`; None for a hook that failed, or another text."""
    found = _FAILED_HOOK.search(reason)
    if found is None:
        return None
    stage, detail = found.group(1), " ".join(found.group(2).split())
    if _OF_HOOK.search(detail) or not _OF_LISTENER.search(detail):
        return None
    denied, role = _DENIED.search(detail), _ROLE.search(detail)
    action, resource = (denied.group("action"), denied.group("arn") or "") if denied else ("", "")
    return ListenerFailure(
        stage, detail[:_MAX_LENGTH], role.group("role") if role else "", action, resource.rstrip(".,;")
    )
