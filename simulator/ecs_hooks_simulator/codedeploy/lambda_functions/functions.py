"""Lambda over the versions of a simulated function: what is invoked runs, in the process of its version."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.core import clock
from ecs_hooks_simulator.codedeploy.lambda_functions.server import FUNCTION_ERROR, INVOCATIONS
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.core.model import ServiceRevision
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

TIMEOUT = 60.0
"""Seconds: time-out of the simulated function, as long as the load balancer waits for a target."""
INVOKED = "invoke"
"""What stands for the listener of a request that was an invocation of one version."""


class _Answer(NamedTuple):
    """What an invocation has come to: its payload, whether that is a function error, and whether the function ran."""

    payload: bytes
    failed: bool = False


class LambdaFunctions:
    """Answers Invoke and GetAlias for the function of a deployment group.

    Parameters
    ----------
    balancer
        Knows where each version answers, and which faults it has.
    controller
        Knows the function and its versions.
    """

    def __init__(self, balancer: LoadBalancer, controller: CodeDeployController) -> None:
        self._balancer = balancer
        self._controller = controller

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about this function, by name or ARN."""
        name, qualifier = _split(str(asked.get("FunctionName") or ""))
        if name != self._controller.service.service:
            return None
        match operation:
            case "Invoke":
                return self._invoke(str(asked.get("Qualifier") or qualifier), asked)
            case "GetAlias" if asked.get("Name") == self._controller.alias:
                return self._alias()
            case _:
                return None

    def _invoke(self, qualifier: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        listener, version = self._version(qualifier)
        if asked.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        payload = asked.get("Payload") or b"{}"
        body = payload.encode() if isinstance(payload, str) else bytes(payload)
        try:
            json.loads(body)
        except ValueError as error:
            raise EcsError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        answer = self._asked(listener, version, body)
        if asked.get("InvocationType") == "Event":
            return {"StatusCode": 202}
        shape: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": version.id, "Payload": answer.payload}
        return shape | ({"FunctionError": "Unhandled"} if answer.failed else {})

    def _version(self, qualifier: str) -> tuple[str, ServiceRevision]:
        """Return the version that an invocation goes to, and what its metrics are counted for."""
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

    def _asked(self, listener: str, version: ServiceRevision, body: bytes) -> _Answer:
        began = time.perf_counter()
        answer = self._exchange(listener, version, body)
        seconds = time.perf_counter() - began
        status = 502 if answer.failed else 200
        self._balancer.note(Forwarded(clock.now(), listener, version.arn, status, seconds))
        return answer

    def _exchange(self, listener: str, version: ServiceRevision, body: bytes) -> _Answer:
        disturbance = self._balancer.disturbance(version.arn, listener)
        connection = http.client.HTTPConnection(self._balancer.targets[version.arn], timeout=TIMEOUT)
        began = time.perf_counter()
        try:
            connection.connect()
            if disturbance.hangs:
                self._balancer.closing.wait(TIMEOUT)
                return _timed_out()
            if disturbance.fails:
                return _error("SimulatedError", "the simulator has put errors into this version")
            connection.request("POST", INVOCATIONS, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            payload = response.read()
            self._balancer.closing.wait(disturbance.later(time.perf_counter() - began))
            return _Answer(payload, failed=FUNCTION_ERROR in response.headers)
        except TimeoutError:
            return _timed_out()
        except (OSError, http.client.HTTPException):
            return _error("Runtime.ExitError", "Runtime exited without providing a reason")
        finally:
            connection.close()

    def _alias(self) -> dict[str, Any]:
        """Return the alias: one version, and the share of another one."""
        weights = self._balancer.weights("production")
        first, *others = sorted(self._controller.running, key=lambda each: -weights.get(each.arn, 0))
        shares = {each.id: weights[each.arn] / 100 for each in others if weights.get(each.arn)}
        arn = f"{first.arn.rpartition(':')[0]}:{self._controller.alias}"
        shape: dict[str, Any] = {"AliasArn": arn, "Name": self._controller.alias, "FunctionVersion": first.id}
        return shape | ({"RoutingConfig": {"AdditionalVersionWeights": shares}} if shares else {})


def _split(name: str) -> tuple[str, str]:
    """Return name and qualifier of a function, from its name, its ARN, or a part of that."""
    plain = name.rpartition(":function:")[2] if ":function:" in name else name
    function, _, qualifier = plain.partition(":")
    return function, qualifier


def _error(kind: str, message: str) -> _Answer:
    return _Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def _timed_out() -> _Answer:
    return _error("Sandbox.Timedout", f"Task timed out after {TIMEOUT:.2f} seconds")
