"""The errors of AWS calls, and what each means for a check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.core.own_limits import own_limit
from ecs_hooks.core.redaction import Redactor, one_line

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
_SERVER_ERRORS = {
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
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
"""Expired credentials or a wrong clock in this instance of the function; Lambda renews both."""

_TRANSIENT = _THROTTLED | _SERVER_ERRORS | _EXPIRED
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,79}")
_SERVER_ERROR = 500

_ABOUT_INPUT = {
    "ClientException",
    "InvalidParameter",
    "InvalidParameterCombination",
    "InvalidParameterCombinationException",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidRequestException",
    "MalformedQueryException",
    "MissingParameter",
    "MissingRequiredParameter",
    "MissingRequiredParameterException",
    "UnsupportedFeatureException",
    "ValidationError",
    "ValidationException",
}
"""Codes of errors about the parameters of a call."""
_LEAST_WORDS = 3
_MAX_MESSAGE = 300

_NO_SSO = {"SSOError", "SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "ConfigParseError"}
_NO_CONNECTION = {"ConnectTimeoutError", "EndpointConnectionError"}
_VPC_HINT = "in a VPC, the function requires a NAT gateway, or an interface endpoint of the service whose security group allows it"


class FactError(ExplainedError):
    """A fact is unknown since an AWS call failed; a retry may help: throttling, 5xx, timeouts.

    Parameters
    ----------
    problem
        One line: the action, and its error.
    action
        The IAM action; empty if AWS was not called.
    code
        The error code of AWS; empty if there was none.
    """

    def __init__(self, problem: str, *, action: str = "", code: str = "") -> None:
        super().__init__(problem)
        self.action = action
        self.code = code

    @property
    def access_denied(self) -> bool:
        """Whether the caller lacks the permission."""
        return self.code in _DENIED

    @property
    def outcome(self) -> Outcome:
        """An `ERROR`, which is retried."""
        return Outcome.error(str(self))


class FactDeniedError(FactError):
    """A retry cannot help: no permission, no such resource, an invalid request."""

    @property
    def outcome(self) -> Outcome:
        """A `FAIL`: the function's role or the configuration must be corrected."""
        return Outcome.failed(str(self))


def invalid_response(action: str) -> FactError:
    """Return the error for a response that does not match AWS's API model; a retry may return a valid one."""
    return FactError(f"{action}: invalid response", action=action)


def aws_error(action: str, error: Exception, parameters: Mapping[str, Any] = MappingProxyType({})) -> FactError:
    """Return the error for an exception of an AWS client.

    Of the response, it contains the error code alone, and AWS's message where that is about the input: without the secrets
    in the parameters of the call, and shortened.
    """
    limit = own_limit(error)
    if limit:
        return FactError(f"{action}: {limit}", action=action)
    # Of botocore's exceptions, ClientError alone has a response; importing it here would load botocore.
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _client_error(action, response, parameters)
    name = type(error).__name__
    if type(error).__module__ != "botocore.exceptions":
        return invalid_response(action)  # botocore's parsers raise many exceptions for malformed bodies
    if name in _NO_SSO:
        return FactDeniedError(f"{action}: no valid SSO session ({name}); run `aws sso login`", action=action)
    if name in _NO_CREDENTIALS:
        return FactDeniedError(f"{action}: no AWS credentials ({name})", action=action)
    return FactError(f"{action}: {name}{f'; {_VPC_HINT}' if name in _NO_CONNECTION else ''}", action=action)


def _client_error(action: str, response: Mapping[str, Any], parameters: Mapping[str, Any]) -> FactError:
    code = str(response.get("Error", {}).get("Code") or "")
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    if not _CODE.fullmatch(code):
        # From a proxy, a firewall or a gateway: AWS itself always returns a code.
        return FactError(f"{action}: HTTP {status} without an AWS error code", action=action)
    if code in _TRANSIENT or status >= _SERVER_ERROR:
        return FactError(f"{action}: {code}", action=action, code=code)
    hint = f"; allow the action {action} in the function's role" if code in _DENIED else ""
    message = _message(response, parameters) if code in _ABOUT_INPUT else ""
    return FactDeniedError(f"{action}: {code}{hint}{message}", action=action, code=code)


def _message(response: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return AWS's message for the end of an error, masked and shortened; empty without one that says something."""
    text = one_line(str(response["Error"].get("Message") or "")).strip()
    if len(text.split()) < _LEAST_WORDS:
        return ""
    redactor = Redactor()
    redactor.add_fields(parameters)
    text = redactor.mask(text)
    return f": {text if len(text) <= _MAX_MESSAGE else f'{text[:_MAX_MESSAGE]}...'}"
