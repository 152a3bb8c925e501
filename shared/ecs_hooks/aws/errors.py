"""What an AWS call that failed means for a check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ecs_hooks.core.outcome import ExplainedError, Outcome

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"}
_THROTTLED = {
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_BROKEN = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}
_OUTDATED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
"""Credentials or a clock that are wrong in this instance of the function; Lambda renews both."""

_MAY_PASS = _THROTTLED | _BROKEN | _OUTDATED
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,79}")
_SERVER_ERROR = 500

_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "ConfigParseError"}
_NO_WAY = {"ConnectTimeoutError", "EndpointConnectionError"}
_IN_A_VPC = "in a VPC the function needs a NAT gateway, or an interface endpoint of the service that lets it in"


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


def unreadable(action: str) -> FactError:
    """Return the error for an answer that is not what AWS documents; asked again, it may be."""
    return FactError(f"{action}: the answer can't be read", action=action)


def fact_error(action: str, error: Exception) -> FactError:
    """Return what an exception of an AWS client means. Nothing of an answer but its error code is repeated.

    Parameters
    ----------
    action
        The IAM action, such as `ecs:DescribeServiceDeployments`.
    error
        What boto3 raised.
    """
    # Only botocore's ClientError has a response; importing it here would load botocore.
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _answered(action, response)
    name = type(error).__name__
    if type(error).__module__ != "botocore.exceptions":
        return unreadable(action)  # its parsers stumble over what is no answer in many ways
    if name in _NO_CREDENTIALS:
        return FactDeniedError(f"{action}: no AWS credentials ({name})", action=action)
    return FactError(f"{action}: {name}{f'; {_IN_A_VPC}' if name in _NO_WAY else ''}", action=action)


def _answered(action: str, response: Mapping[str, Any]) -> FactError:
    code = str(response.get("Error", {}).get("Code") or "")
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    if not _CODE.fullmatch(code):
        # A proxy, a firewall, a gateway: AWS itself always gives a code.
        return FactError(f"{action}: HTTP {status} without an error code of AWS", action=action)
    if code in _MAY_PASS or status >= _SERVER_ERROR:
        return FactError(f"{action}: {code}", action=action, code=code)
    hint = f"; allow the action {action} in the function's role" if code in _DENIED else ""
    return FactDeniedError(f"{action}: {code}{hint}", action=action, code=code)
