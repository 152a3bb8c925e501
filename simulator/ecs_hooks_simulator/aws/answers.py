"""Operations of AWS that simulations answer instead of moto.

Moto has no load balancer that forwards, no metrics of it, and no service deployments. A request about any other resource
goes to moto.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from moto.awslambda.responses import LambdaResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.responses import ELBV2Response
from moto.scheduler.responses import EventBridgeSchedulerResponse
from moto.ssm.responses import SimpleSystemManagerResponse

from ecs_hooks_simulator.core.errors import EcsError, ServiceDeploymentNotFoundError

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import ServiceDeployments


class Answers(Protocol):
    """Answers operations of AWS about the resources of one simulation."""

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the response of an operation, or None if the request is about other resources.

        Parameters
        ----------
        operation
            Name in the API, such as `DescribeRules`.
        request
            The parameters.

        Raises
        ------
        EcsError
            An error response, with a code of the API.
        """


class _ErrorResponse(ServiceException):
    """An error response; moto looks up its shape in the service that the module's name ends with: not in `core`."""


class _Result(ActionResult):
    """A response with the HTTP status in its `StatusCode`: moto serializes the one of Invoke as 200."""

    def execute_result(self, context: ActionContext) -> Any:
        status, headers, body = super().execute_result(context)
        return self.result.get("StatusCode", status), headers, body  # type: ignore[attr-defined] # of moto's


_OPERATIONS: dict[type[BaseResponse], tuple[str, ...]] = {
    EC2ContainerServiceResponse: (
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "ListServiceDeployments",
        "StopServiceDeployment",
        "ContinueServiceDeployment",
        "ListTasks",
        "DescribeTasks",
        "DescribeTaskDefinition",
        "DescribeTaskSets",
    ),
    ELBV2Response: ("DescribeRules", "DescribeListeners", "DescribeLoadBalancers", "DescribeTargetHealth"),
    CloudWatchResponse: ("DescribeAlarms", "GetMetricData"),
    CodeDeployResponse: (
        "GetDeployment",
        "GetDeploymentGroup",
        "GetDeploymentTarget",
        "BatchGetDeploymentTargets",
        "ListDeploymentTargets",
        "PutLifecycleEventHookExecutionStatus",
        "StopDeployment",
        "ContinueDeployment",
    ),
    EventBridgeSchedulerResponse: ("CreateSchedule", "UpdateSchedule", "GetSchedule", "DeleteSchedule"),
    SimpleSystemManagerResponse: ("GetParameter", "GetParameters"),
    LambdaResponse: ("Invoke", "GetAlias"),
}

_answers: list[Answers] = []
"""Newest first."""
_deployments: list[ServiceDeployments] = []
"""Newest first."""
_errors: dict[str, deque[EcsError]] = {}
"""Error responses still to send, by operation."""


def add(answers: Answers) -> None:
    """Let an object answer before those that were added earlier."""
    install()
    _answers.insert(0, answers)


def remove(answers: Answers) -> None:
    """Undo `add`."""
    _answers.remove(answers)


def add_deployments(deployments: ServiceDeployments) -> None:
    """Answer ECS's service-deployment operations for the deployments of one more controller."""
    install()
    _deployments.insert(0, deployments)


def remove_deployments(deployments: ServiceDeployments) -> None:
    """Undo `add_deployments`."""
    _deployments.remove(deployments)


def inject(operation: str, error: EcsError, times: int = 1) -> None:
    """Let the next calls of an operation fail.

    Parameters
    ----------
    operation
        Name in the API, such as `DescribeServiceDeployments`.
    error
        The response, such as `EcsError("ThrottlingException", "Rate exceeded")`.
    times
        Number of calls.
    """
    install()
    _errors.setdefault(operation, deque()).extend([error] * times)


def install() -> None:
    """Replace the operations of moto's classes, once a process."""
    for response, operations in _OPERATIONS.items():
        for operation in operations:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
            original = getattr(response, name, _not_found(operation))
            if not hasattr(original, "ecs_hooks"):
                setattr(response, name, _override(operation, original))


def _override(operation: str, original: Callable[[BaseResponse], Any]) -> Callable[[BaseResponse], Any]:
    def respond(self: BaseResponse) -> Any:
        try:
            if _errors.get(operation):
                raise _errors[operation].popleft()
            if not self.automated_parameter_parsing:
                self.parse_parameters(self.normalized_request)
            for answer in (*(each.answer for each in _answers), _answer_service_deployments):
                response = answer(operation, self.params)
                if response is not None:
                    return _Result(response)
        except EcsError as error:
            # Moto warns of codes that a service does not list, such as an injected throttle.
            COMMON_ERROR_CODES.append(error.code)
            raise _ErrorResponse(error.code, error.message) from error
        return original(self)

    respond.ecs_hooks = True  # type: ignore[attr-defined] # marks what is installed
    return respond


def _not_found(operation: str) -> Callable[[BaseResponse], Any]:
    """Return the response of an operation that moto lacks, for a resource of no simulation."""

    def respond(_: BaseResponse) -> Any:
        raise _ErrorResponse(
            "DeploymentDoesNotExistException", f"{operation}: no simulation in this process has the deployment"
        )

    return respond


def _answer_service_deployments(operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    arn = request.get("serviceDeploymentArn") or ""
    match operation:
        case "DescribeServiceDeployments":
            arns = request.get("serviceDeploymentArns") or []
            return _describe(arns, "serviceDeployment", [each.describe(arns) for each in _deployments])
        case "DescribeServiceRevisions":
            arns = request.get("serviceRevisionArns") or []
            return _describe(arns, "serviceRevision", [each.describe_revisions(arns) for each in _deployments])
        case "ListServiceDeployments":
            return _first(
                lambda deployments: deployments.list(
                    request.get("service") or "",
                    cluster=request.get("cluster"),
                    status=request.get("status") or (),
                    created_at=_seconds(request.get("createdAt") or {}),
                    max_results=request.get("maxResults"),
                    next_token=request.get("nextToken"),
                )
            )
        case "StopServiceDeployment":
            return _first(lambda deployments: deployments.stop(arn, request.get("stopType") or "ROLLBACK"))
        case "ContinueServiceDeployment":
            hook, action = request.get("hookId") or "", request.get("action") or "CONTINUE"
            return _first(lambda deployments: deployments.continue_(arn, hook, action))
        case _:
            return None


def _seconds(window: Mapping[str, Any]) -> dict[str, float]:
    return {name: value.timestamp() if hasattr(value, "timestamp") else value for name, value in window.items()}


def _describe(arns: Sequence[str], kind: str, responses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the responses of all controllers: each has only its own ARNs, and an ARN that none has is a failure."""
    found = [each for response in responses for each in response[f"{kind}s"]]
    missing = set(arns) - {each[f"{kind}Arn"] for each in found}
    return {f"{kind}s": found, "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn in missing]}


def _first(call: Callable[[ServiceDeployments], dict[str, Any]]) -> dict[str, Any]:
    """Return the response of the first controller that has the resource."""
    unknown: EcsError = ServiceDeploymentNotFoundError()
    for deployments in _deployments:
        try:
            return call(deployments)
        except EcsError as error:
            if not error.code.endswith("NotFoundException"):
                raise
            unknown = error
    raise unknown
