"""Errors of the simulated ECS, with the codes and the words of the real one."""

from __future__ import annotations


class EcsError(Exception):
    """An error as the ECS API returns it.

    Parameters
    ----------
    code
        Name of the error in the API, such as `InvalidParameterException`.
    message
        The API's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidParameterError(EcsError, ValueError):
    """A parameter is invalid."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class ServiceDeploymentNotFoundError(EcsError):
    """The service deployment does not exist."""

    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "The service deployment does not exist.")


class ConflictError(EcsError):
    """The status of the service deployment does not allow the request."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class HookInvocationError(Exception):
    """A hook could not be invoked, or was invoked and did not return.

    Parameters
    ----------
    message
        Lambda's error message.
    invoked
        Whether the function ran: True for an exception or a timeout, False for a missing permission or a wrong name.
        ECS uses a different `statusReason` for the two.
    """

    def __init__(self, message: str, *, invoked: bool = True) -> None:
        super().__init__(message)
        self.invoked = invoked


class TasksFailedError(Exception):
    """The tasks of a service revision cannot start; the deployment rolls back."""
