"""The metrics of the simulator's load balancer and its target groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.aws.cloudwatch import Measure, dimensions_of
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.traffic.load_balancer import LISTENERS

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.elastic_load_balancing import ElasticLoadBalancing

NAMESPACE = "AWS/ApplicationELB"


class BalancerMetrics:
    """Says what the metrics of a load balancer count.

    Parameters
    ----------
    balancing
        Knows which revision is in which target group.
    """

    namespace = NAMESPACE

    def __init__(self, balancing: ElasticLoadBalancing) -> None:
        self._balancing = balancing

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is this load balancer's."""
        return metric["Namespace"] == NAMESPACE and dimensions_of(metric).get("LoadBalancer") == self._balancing.name

    def counted(
        self, name: str, dimensions: Mapping[str, str]
    ) -> tuple[Measure, frozenset[str], frozenset[str]] | None:
        """Return what a request adds to a metric, and which listeners and revisions count."""
        measure = _measure_of(name)
        if name.startswith("HTTPCode_ELB_") and "TargetGroup" in dimensions:
            return None  # what the load balancer answers by itself is counted for all of it only
        groups = {arn.rpartition(":")[2]: arn for arn in self._balancing.target_groups}
        named = dimensions.get("TargetGroup")
        revisions = self._balancing.revisions_of(None if named is None else groups.get(named, named))
        return measure, frozenset(LISTENERS), frozenset(revisions)

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions of an alarm's metric: `TargetGroup` is green's or blue's in the latest deployment."""
        filled = {"LoadBalancer": self._balancing.name}
        if "TargetGroup" in dimensions:
            filled["TargetGroup"] = self._balancing.group(green="green" in dimensions["TargetGroup"])
        return filled


def _measure_of(name: str) -> Measure:
    if name == "RequestCount":
        return lambda _: 1.0
    if name == "TargetConnectionErrorCount":
        return lambda request: 1.0 if request.origin == "connection" else None
    if name == "TargetResponseTime":
        return lambda request: request.seconds if request.origin == "target" else None
    own = re.fullmatch(r"HTTPCode_ELB_([45])XX_Count", name)
    if own:
        return lambda request: (
            1.0 if request.origin != "target" and request.status // 100 == int(own.group(1)) else None
        )
    status = re.fullmatch(r"HTTPCode_Target_([2-5])XX_Count", name)
    if not status:
        raise EcsError("ValidationError", f"the simulator does not measure {name}")
    return lambda request: 1.0 if request.origin == "target" and request.status // 100 == int(status.group(1)) else None
