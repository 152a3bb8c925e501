"""Operations of AWS that a simulation answers in moto's place, for the things that it plays itself.

Moto knows nothing of a load balancer that really forwards, of what that has measured, or of the tasks of a service
revision. What is asked about other things goes to moto as ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

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

from ecs_hooks_simulator.aws.operations import fail_if_injected
from ecs_hooks_simulator.core.errors import EcsError


class Answers(Protocol):
    """Whoever answers operations of AWS."""

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer an operation.

        Parameters
        ----------
        operation
            Name in the API, such as `DescribeRules`.
        asked
            Its parameters.

        Returns
        -------
        The answer in the API's shape; None where this is about something else.

        Raises
        ------
        EcsError
            To refuse, with a code of the API.
        """


class _RefusedError(ServiceException):
    """Moto looks for the error's shape in the service that the module of its class is named after: not in `core`."""


class _Result(ActionResult):
    """An answer, with the status that it names itself: moto serializes that of Invoke as 200."""

    def execute_result(self, context: ActionContext) -> Any:
        status, headers, body = super().execute_result(context)
        return self.result.get("StatusCode", status), headers, body  # type: ignore[attr-defined] # of moto's


_OPERATIONS: dict[type[BaseResponse], tuple[str, ...]] = {
    EC2ContainerServiceResponse: ("ListTasks", "DescribeTasks", "DescribeTaskDefinition", "DescribeTaskSets"),
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
"""Whoever answers, newest first."""


def add(answers: Answers) -> None:
    """Ask one more, before the others."""
    _install()
    _answers.insert(0, answers)


def remove(answers: Answers) -> None:
    """Ask it no more."""
    _answers.remove(answers)


def _install() -> None:
    """Have moto's classes ask here first; once is enough."""
    for response, operations in _OPERATIONS.items():
        for operation in operations:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
            original = getattr(response, name, _unknown(operation))
            if not hasattr(original, "ecs_hooks"):
                setattr(response, name, _asking(operation, original))


def _asking(operation: str, original: Callable[[BaseResponse], Any]) -> Callable[[BaseResponse], Any]:
    def respond(self: BaseResponse) -> Any:
        try:
            fail_if_injected(operation)
            if not self.automated_parameter_parsing:
                self.parse_parameters(self.normalized_request)
            for each in _answers:
                answer = each.answer(operation, self.params)
                if answer is not None:
                    return _Result(answer)
        except EcsError as error:
            # Any error may be injected, such as a throttle; moto would warn of those that a service does not list.
            COMMON_ERROR_CODES.append(error.code)
            raise _RefusedError(error.code, error.message) from error
        return original(self)

    respond.ecs_hooks = True  # type: ignore[attr-defined] # the mark of what is installed
    return respond


def _unknown(operation: str) -> Callable[[BaseResponse], Any]:
    """Return what answers an operation that moto lacks, where nobody knows what it is asked about."""

    def respond(_: BaseResponse) -> Any:
        raise _RefusedError(
            "DeploymentDoesNotExistException", f"no simulation of this process knows what {operation} is asked about"
        )

    return respond
