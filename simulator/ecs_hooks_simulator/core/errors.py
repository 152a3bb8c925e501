"""What the simulated ECS refuses, with the codes and the words of the real one."""

from __future__ import annotations


class EcsError(Exception):
    """An error as the ECS API returns it.

    Parameters
    ----------
    code
        Name of the error in the API, such as `InvalidParameterException`.
    message
        What the API says.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidParameterError(EcsError, ValueError):
    """A parameter is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class ServiceDeploymentNotFoundError(EcsError):
    """There is no such service deployment."""

    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "The service deployment does not exist.")


class ConflictError(EcsError):
    """The request does not go with the state of the service deployment."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class HookInvocationError(Exception):
    """A hook could not be invoked, or was invoked and did not return.

    Parameters
    ----------
    message
        What Lambda says about it.
    invoked
        Whether the function ran: an exception in it or its time-out. False where there was no way to run it, such as
        a missing permission or a wrong name. ECS words its `statusReason` differently for the two.
    """

    def __init__(self, message: str, *, invoked: bool = True) -> None:
        super().__init__(message)
        self.invoked = invoked


class TasksFailedError(Exception):
    """The tasks of a service revision cannot start, ever; the deployment rolls back."""
