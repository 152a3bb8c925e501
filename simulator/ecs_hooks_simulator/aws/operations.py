"""The service-deployment operations of ECS, added to moto's answers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.ecs.responses import EC2ContainerServiceResponse

from ecs_hooks_simulator.core.errors import EcsError, ServiceDeploymentNotFoundError

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import ServiceDeployments

_sources: list[ServiceDeployments] = []
"""Whoever knows of service deployments, newest first."""

_faults: dict[str, deque[EcsError]] = {}
"""Errors to answer with, by operation, before the truth is told again."""


def add_source(source: ServiceDeployments) -> None:
    """Answer for the deployments of one more controller."""
    install()
    _sources.insert(0, source)


def remove_source(source: ServiceDeployments) -> None:
    """Forget the deployments of a controller."""
    _sources.remove(source)


def inject(operation: str, error: EcsError, times: int = 1) -> None:
    """Have an operation answered with an error, so many times.

    Parameters
    ----------
    operation
        Name in the API, such as `DescribeServiceDeployments`.
    error
        Its code and message, such as `EcsError("ThrottlingException", "Rate exceeded")`.
    times
        How often.
    """
    install()
    _faults.setdefault(operation, deque()).extend([error] * times)


def install() -> None:
    """Add the operations to moto's class; once is enough."""
    operations = {
        "describe_service_deployments": _describe_service_deployments,
        "list_service_deployments": _list_service_deployments,
        "describe_service_revisions": _describe_service_revisions,
        "stop_service_deployment": _stop_service_deployment,
        "continue_service_deployment": _continue_service_deployment,
    }
    for name, operation in operations.items():
        setattr(EC2ContainerServiceResponse, name, operation)


def _describe_service_deployments(self: EC2ContainerServiceResponse) -> str:
    return _collect(self, "DescribeServiceDeployments", "describe", "serviceDeploymentArns", "serviceDeployments")


def _describe_service_revisions(self: EC2ContainerServiceResponse) -> str:
    return _collect(self, "DescribeServiceRevisions", "describe_revisions", "serviceRevisionArns", "serviceRevisions")


def _list_service_deployments(self: EC2ContainerServiceResponse) -> str:
    asked = _asked(self)
    return _told(
        "ListServiceDeployments",
        lambda source: source.list(
            asked.get("service", ""),
            cluster=asked.get("cluster"),
            status=asked.get("status") or (),
            created_at=asked.get("createdAt"),
            max_results=asked.get("maxResults"),
            next_token=asked.get("nextToken"),
        ),
    )


def _stop_service_deployment(self: EC2ContainerServiceResponse) -> str:
    asked = _asked(self)
    return _told(
        "StopServiceDeployment",
        lambda source: source.stop(asked.get("serviceDeploymentArn", ""), asked.get("stopType") or "ROLLBACK"),
    )


def _continue_service_deployment(self: EC2ContainerServiceResponse) -> str:
    asked = _asked(self)
    return _told(
        "ContinueServiceDeployment",
        lambda source: source.continue_(
            asked.get("serviceDeploymentArn", ""), asked.get("hookId", ""), asked.get("action") or "CONTINUE"
        ),
    )


def _asked(response: EC2ContainerServiceResponse) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(response.body or "{}")
    return asked


def _collect(response: EC2ContainerServiceResponse, operation: str, method: str, parameter: str, key: str) -> str:
    """Ask every source for the ARNs, since each knows only its own; what nobody knows is a failure."""
    arns = _asked(response).get(parameter) or []
    found: list[Any] = []
    try:
        fail_if_injected(operation)
        known = [getattr(source, method)(arns) for source in _sources]
    except EcsError as error:
        raise _as_moto_error(error) from error
    missing = {failure["arn"]: failure for each in known for failure in each["failures"]}
    for each in known:
        found += each[key]
    arn_key = "serviceDeploymentArn" if key == "serviceDeployments" else "serviceRevisionArn"
    for shape in found:
        missing.pop(shape[arn_key], None)
    if not known:
        missing = {arn: {"arn": arn, "reason": "MISSING"} for arn in arns}
    return json.dumps({key: found, "failures": list(missing.values())})


def _told(operation: str, ask: Callable[[ServiceDeployments], dict[str, Any]]) -> str:
    """Return the answer of the first source that knows what is asked about."""
    unknown: EcsError = ServiceDeploymentNotFoundError()
    try:
        fail_if_injected(operation)
        for source in _sources:
            try:
                return json.dumps(ask(source))
            except EcsError as error:
                if not error.code.endswith("NotFoundException"):
                    raise
                unknown = error
    except EcsError as refused:
        raise _as_moto_error(refused) from refused
    raise _as_moto_error(unknown)


def fail_if_injected(operation: str) -> None:
    """Raise the next error that was injected into an operation, if there is one."""
    waiting = _faults.get(operation)
    if waiting:
        raise waiting.popleft()


def _as_moto_error(error: EcsError) -> JsonRESTError:
    return JsonRESTError(error.code, error.message)
