"""A service revision: what ECS runs for it, and which target groups it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.deployment.asking import ask, reading
from ecs_hooks.deployment.errors import FactError

ACTION = "ecs:DescribeServiceRevisions"

DEFAULT_TEST_HEADER = "x-amzn-ecs-blue-green-test"
"""What Service Connect takes for test traffic where no rule names another header (ECS developer guide)."""


class LoadBalancing(NamedTuple):
    """One load balancer of a revision.

    Parameters
    ----------
    target_group
        ARN of the target group that this revision uses; empty where ECS does not say yet. `targetGroupArn` and
        `alternateTargetGroupArn` of the service are only a pair: ECS swaps them with each deployment.
    production, test
        ARN of the listener rule (Application Load Balancer) or listener (Network Load Balancer) of that traffic; empty
        where there is none.
    container
        Name of the container that serves.
    port
        Its port.
    pair
        ARNs of both target groups, blue's and green's.
    """

    target_group: str
    production: str
    test: str
    container: str
    port: int
    pair: Sequence[str] = ()


class ServiceRevision(NamedTuple):
    """A service revision, as far as checks need it.

    Parameters
    ----------
    arn
        Its ARN.
    task_definition
        ARN of its task definition.
    load_balancing
        Its load balancers.
    images
        Container name to image and digest, both as ECS resolved them; empty texts where it did not.
    test_header
        Name and value of the header that Service Connect routes as test traffic; an empty value is any. None where the
        revision offers nothing through Service Connect.
    """

    arn: str
    task_definition: str
    load_balancing: tuple[LoadBalancing, ...]
    images: Mapping[str, tuple[str, str]]
    test_header: tuple[str, str] | None

    @classmethod
    def from_fact(cls, fact: Mapping[str, Any]) -> ServiceRevision:
        """Return the revision that `describe` has found."""
        return cls(
            fact["arn"],
            fact["taskDefinition"],
            tuple(LoadBalancing(*each) for each in fact["loadBalancing"]),
            {name: (image, digest) for name, image, digest in fact["images"]},
            tuple(fact["testHeader"]) if fact["testHeader"] else None,
        )


def describe(arns: list[str], region: str) -> dict[str, dict[str, Any]]:
    """Ask ECS for revisions, all in one call, and return what matters of each as a fact.

    Raises
    ------
    FactError
        If ECS does not answer, or knows one of them not (yet).
    """
    answered = ask(ACTION, region, "serviceRevisions", serviceRevisionArns=arns)
    with reading(ACTION):
        facts = {each["serviceRevisionArn"]: _fact(each) for each in answered}
    missing = [arn for arn in arns if arn not in facts]
    if missing:
        message = f"{ACTION}: ECS does not describe {missing[0]}"
        raise FactError(message)
    return facts


def _fact(revision: Mapping[str, Any]) -> dict[str, Any]:
    resolved = (revision.get("resolvedConfiguration") or {}).get("loadBalancers") or []
    return {
        "arn": revision["serviceRevisionArn"],
        "taskDefinition": str(revision.get("taskDefinition") or ""),
        "loadBalancing": [load_balancing(each, resolved) for each in revision.get("loadBalancers") or []],
        "images": [
            [each.get("containerName", ""), each.get("image", ""), each.get("imageDigest", "")]
            for each in revision.get("containerImages") or []
        ],
        "testHeader": _test_header(revision.get("serviceConnectConfiguration") or {}),
    }


def load_balancing(configured: Mapping[str, Any], resolved: Sequence[Mapping[str, Any]] = ()) -> LoadBalancing:
    """Return a load balancer of a service.

    Parameters
    ----------
    configured
        A member of `loadBalancers`.
    resolved
        `resolvedConfiguration.loadBalancers` of the revision; without it the target group is only known where there is
        no alternate.
    """
    advanced = configured.get("advancedConfiguration") or {}
    pair = {configured.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")}
    used = [each["targetGroupArn"] for each in resolved if each.get("targetGroupArn") in pair]
    # Without an alternate there is no choice, so ECS need not have resolved it.
    target_group = used[0] if used else ("" if "alternateTargetGroupArn" in advanced else configured["targetGroupArn"])
    return LoadBalancing(
        target_group,
        str(advanced.get("productionListenerRule") or ""),
        str(advanced.get("testListenerRule") or ""),
        str(configured.get("containerName") or ""),
        int(configured.get("containerPort") or 0),
        sorted(str(each) for each in pair if each),
    )


def _test_header(service_connect: Mapping[str, Any]) -> list[str] | None:
    if not service_connect.get("enabled"):
        return None
    services = service_connect.get("services") or []
    for service in services:
        for alias in service.get("clientAliases") or []:
            header = (alias.get("testTrafficRules") or {}).get("header")
            if header:
                return [header["name"], str((header.get("value") or {}).get("exact") or "")]
    return [DEFAULT_TEST_HEADER, ""] if services else None
