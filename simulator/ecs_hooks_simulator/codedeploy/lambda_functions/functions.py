"""The simulated function in the APIs of Lambda and CloudWatch; each version runs in a process of its own."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.core import clock
from ecs_hooks.core.json_text import read_json
from ecs_hooks_simulator.aws.cloudwatch import Counted, Measure
from ecs_hooks_simulator.aws.metric_alarm import FUNCTIONS
from ecs_hooks_simulator.aws.metric_data import dimensions_of
from ecs_hooks_simulator.codedeploy.lambda_functions.server import CLIENT_CONTEXT, FUNCTION_ERROR, INVOCATIONS
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

TIMEOUT = 60.0
"""Time-out of the function in seconds, the same as the load balancer's for a target."""
INVOKED = "invoke"
"""The listener of requests that invoke a version by its number."""
_ALIAS = frozenset({"production"})
_VERSION = frozenset({"test", INVOKED})
"""Listeners of requests to one version: by its number, or through the address of the new version."""
_FAILED = 500

_MEASURES: Mapping[str, Measure] = {
    "Invocations": lambda _: 1.0,
    # A 5xx response is a function error, as with a web adapter in Lambda.
    "Errors": lambda request: float(request.status >= _FAILED),
    "Throttles": lambda _: 0.0,
    "Duration": lambda request: 1000 * request.seconds,
}


class _Answer(NamedTuple):
    """The payload of an invocation, and whether it is a function error."""

    payload: bytes
    failed: bool = False


class LambdaFunctions:
    """Answers Invoke and GetAlias for a function; the load balancer has the address and the faults of each version."""

    def __init__(self, balancer: LoadBalancer, controller: CodeDeployController) -> None:
        self._balancer = balancer
        self._controller = controller

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer if the request is about this function, by name or ARN."""
        name, qualifier = _split(str(request.get("FunctionName") or ""))
        if name != self._controller.service.service:
            return None
        match operation:
            case "Invoke":
                return self._invoke(str(request.get("Qualifier") or qualifier), request)
            case "GetAlias" if request.get("Name") == self._controller.alias:
                return self._alias()
            case _:
                return None

    def _invoke(self, qualifier: str, request: Mapping[str, Any]) -> dict[str, Any]:
        listener, version = self._version(qualifier)
        if request.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        payload = request.get("Payload") or b"{}"
        body = payload.encode() if isinstance(payload, str) else bytes(payload)
        try:
            read_json(body)
        except ValueError as error:
            raise EcsError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        answer = self._measured(listener, version, body, str(request.get("ClientContext") or ""))
        if request.get("InvocationType") == "Event":
            return {"StatusCode": 202}
        shape: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": version.id, "Payload": answer.payload}
        return shape | ({"FunctionError": "Unhandled"} if answer.failed else {})

    def _version(self, qualifier: str) -> tuple[str, ServiceRevision]:
        """Return the listener and the version of an invocation."""
        if qualifier == self._controller.alias:
            chosen = self._balancer.choose("production")
            found = [each for each in self._controller.revisions if chosen and each.arn == chosen[0]]
            listener = "production"
        else:
            found = [each for each in self._controller.running if each.id == qualifier]
            listener = INVOKED
        if not found:
            service = self._controller.service
            arn = f"arn:{service.partition}:lambda:{service.region}:{service.account}:function:{service.service}"
            raise EcsError("ResourceNotFoundException", f"Function not found: {arn}:{qualifier or '$LATEST'}")
        return listener, found[0]

    def _measured(self, listener: str, version: ServiceRevision, body: bytes, client_context: str) -> _Answer:
        began = time.perf_counter()
        answer = self._exchange(listener, version, body, client_context)
        seconds = time.perf_counter() - began
        status = 502 if answer.failed else 200
        self._balancer.note(Forwarded(clock.now(), listener, version.arn, status, seconds))
        return answer

    def _exchange(self, listener: str, version: ServiceRevision, body: bytes, client_context: str) -> _Answer:
        effect = self._balancer.fault_effect(version.arn, listener)
        connection = http.client.HTTPConnection(self._balancer.targets[version.arn], timeout=TIMEOUT)
        began = time.perf_counter()
        try:
            connection.connect()
            if effect.hangs:
                self._balancer.closing.wait(TIMEOUT)
                return _timed_out()
            if effect.fails:
                return _error("SimulatedError", "fault injected by the simulator")
            headers = {
                "Content-Type": "application/json",
                **({CLIENT_CONTEXT: client_context} if client_context else {}),
            }
            connection.request("POST", INVOCATIONS, body, headers)
            response = connection.getresponse()
            payload = response.read()
            self._balancer.closing.wait(effect.extra_seconds(time.perf_counter() - began))
            return _Answer(payload, failed=FUNCTION_ERROR in response.headers)
        except TimeoutError:
            return _timed_out()
        except (OSError, http.client.HTTPException):
            return _error("Runtime.ExitError", "Runtime exited without providing a reason")
        finally:
            connection.close()

    def _alias(self) -> dict[str, Any]:
        """Return the alias with its version, and the share of the other version."""
        weights = self._balancer.weights("production")
        first, *others = sorted(self._controller.running, key=lambda each: -weights.get(each.arn, 0))
        shares = {each.id: weights[each.arn] / 100 for each in others if weights.get(each.arn)}
        arn = f"{first.arn.rpartition(':')[0]}:{self._controller.alias}"
        shape: dict[str, Any] = {"AliasArn": arn, "Name": self._controller.alias, "FunctionVersion": first.id}
        return shape | ({"RoutingConfig": {"AdditionalVersionWeights": shares}} if shares else {})


class FunctionMetrics:
    """The metrics of the function, by alias and by executed version; implements `Metrics`."""

    namespace = FUNCTIONS

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is this function's."""
        named = dimensions_of(metric).get("FunctionName")
        return metric["Namespace"] == FUNCTIONS and named == self._controller.service.service

    def counted(self, name: str, dimensions: Mapping[str, str]) -> Counted | None:
        """Return the requests that a metric counts."""
        measure = _MEASURES.get(name)
        if measure is None:
            raise EcsError(
                "ValidationError", f"metric {name} is not supported by the simulator; use {', '.join(_MEASURES)}"
            )
        function, _, qualifier = dimensions.get("Resource", "").partition(":")
        if function not in {"", self._controller.service.service}:
            return None
        executed = dimensions.get("ExecutedVersion")
        if not qualifier or qualifier == self._controller.alias:
            listeners = _ALIAS if qualifier else _ALIAS | _VERSION
            versions = [each.arn for each in self._controller.revisions if executed in {None, each.id}]
            return Counted(measure, listeners, frozenset(versions))
        # Only metrics of an alias have the dimension ExecutedVersion.
        versions = [each.arn for each in self._controller.revisions if each.id == qualifier and executed is None]
        return Counted(measure, _VERSION, frozenset(versions))

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


def _split(name: str) -> tuple[str, str]:
    """Return name and qualifier from the name, the ARN or a partial ARN of a function."""
    plain = name.rpartition(":function:")[2] if ":function:" in name else name
    function, _, qualifier = plain.partition(":")
    return function, qualifier


def _error(kind: str, message: str) -> _Answer:
    return _Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def _timed_out() -> _Answer:
    return _error("Sandbox.Timedout", f"Task timed out after {TIMEOUT:.2f} seconds")
