"""The metrics of a simulated function, by alias and by executed version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.aws.cloudwatch import Measure, dimensions_of
from ecs_hooks_simulator.aws.metric_alarm import FUNCTIONS
from ecs_hooks_simulator.codedeploy.lambda_functions.functions import INVOKED
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController

_ALIAS = frozenset({"production"})
_VERSION = frozenset({"test", INVOKED})
"""Where invocations of one version come from: by its number, or through the address of the new one."""
_FAILED = 500

_MEASURES: Mapping[str, Measure] = {
    "Invocations": lambda _: 1.0,
    # A simulated function fails where it would answer 5xx: so does what runs a web application in Lambda.
    "Errors": lambda request: float(request.status >= _FAILED),
    "Throttles": lambda _: 0.0,
    "Duration": lambda request: 1000 * request.seconds,
}


class FunctionMetrics:
    """Says what the metrics of a function count.

    Parameters
    ----------
    controller
        Knows the function and its versions.
    """

    namespace = FUNCTIONS

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is this function's."""
        named = dimensions_of(metric).get("FunctionName")
        return metric["Namespace"] == FUNCTIONS and named == self._controller.service.service

    def counted(
        self, name: str, dimensions: Mapping[str, str]
    ) -> tuple[Measure, frozenset[str], frozenset[str]] | None:
        """Return what a request adds to a metric, and which listeners and versions count."""
        measure = _MEASURES.get(name)
        if measure is None:
            raise EcsError("ValidationError", f"the simulator does not measure {name} of a function")
        function, _, qualifier = dimensions.get("Resource", "").partition(":")
        if function not in {"", self._controller.service.service}:
            return None
        executed = dimensions.get("ExecutedVersion")
        if not qualifier or qualifier == self._controller.alias:
            listeners = _ALIAS if qualifier else _ALIAS | _VERSION
            versions = [each.arn for each in self._controller.revisions if executed in {None, each.id}]
            return measure, listeners, frozenset(versions)
        # Without an alias in between, the dimension ExecutedVersion is not there.
        versions = [each.arn for each in self._controller.revisions if each.id == qualifier and executed is None]
        return measure, _VERSION, frozenset(versions)

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions of an alarm's metric: `ExecutedVersion` is green's or blue's in the latest deployment."""
        controller = self._controller
        name = controller.service.service
        filled = {"FunctionName": name, "Resource": f"{name}:{controller.alias}"}
        if "ExecutedVersion" in dimensions:
            deployment = controller.history[-1] if controller.history else None
            green = deployment.target.id if deployment else ""
            blue = deployment.sources[0].id if deployment and deployment.sources else ""
            filled["ExecutedVersion"] = green if "green" in dimensions["ExecutedVersion"] else blue
        return filled
