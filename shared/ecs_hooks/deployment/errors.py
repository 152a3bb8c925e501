"""What an AWS call that failed means for a check."""

from __future__ import annotations

from ecs_hooks.outcome import ExplainedError, Outcome

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_SERVER_ERROR = 500


class FactError(ExplainedError):
    """AWS did not tell a fact, and may tell it later: throttling, 5xx, time-outs.

    Parameters
    ----------
    problem
        One line: the action, and what came back.
    action
        The IAM action that was asked with; empty where AWS was not asked.
    code
        The error code of AWS; empty where there was no answer.
    """

    def __init__(self, problem: str, *, action: str = "", code: str = "") -> None:
        super().__init__(problem)
        self.action = action
        self.code = code

    @property
    def forbidden(self) -> bool:
        """Whether whoever asked lacks the permission to."""
        return self.code in _DENIED

    @property
    def outcome(self) -> Outcome:
        """An `ERROR`: the question could not be asked."""
        return Outcome.error(str(self))


class FactDeniedError(FactError):
    """Asking again will not help: no permission, no such resource, a call that AWS refuses."""

    @property
    def outcome(self) -> Outcome:
        """A `FAIL`: somebody has to mend the function's role or the configuration."""
        return Outcome.failed(str(self))


def fact_error(action: str, error: Exception) -> FactError:
    """Return what an exception of an AWS client means.

    Parameters
    ----------
    action
        The IAM action, such as `ecs:DescribeServiceDeployments`.
    error
        What boto3 raised.
    """
    # Only botocore's ClientError has a response; importing it here would load botocore.
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return FactError(f"{action}: {type(error).__name__}", action=action)
    code = str(response.get("Error", {}).get("Code", "unknown"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED or status >= _SERVER_ERROR:
        return FactError(f"{action}: {code}", action=action, code=code)
    hint = f"; allow the action {action} in the function's role" if code in _DENIED else ""
    return FactDeniedError(f"{action}: {code}{hint}", action=action, code=code)
