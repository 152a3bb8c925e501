"""The invoke check: the new version of a Lambda function returns the expected response."""

from __future__ import annotations

import base64
import binascii
import re
import time
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from urllib3 import HTTPHeaderDict

from ecs_hooks.assertions.expect import Expect, describe, describe_warnings, split_warnings
from ecs_hooks.assertions.predicate import LiteralOrPredicate
from ecs_hooks.aws.lambda_function import INVOKE, InvocationResult, InvocationTimeoutError, invoke
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.template import LiteralTexts
from ecs_hooks.core.deadline import MAX_LAMBDA_SECONDS
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import FieldError, Form
from ecs_hooks.core.version import __version__
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.url import Url

_NO_URL = Url.parse("http://lambda")
_OK = 200
_FUNCTION = r"^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:|(\d{12}:)?function:)?[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]+))?$"


def _without_arn(function: str) -> str:
    """Return the name of a function with its qualifier, of an ARN, too."""
    return function.rpartition("function:")[2]


class InvokeCheck(LiteralTexts, Check):
    """Calls the new version of the deployed Lambda function, and checks its response.

    The call is never repeated, also if it times out. In a deployment of an ECS service the check does not apply, unless
    `function` names the function to call. So that the function can detect the call of a hook, the client context has
    `custom` with `ecs-hooks` (the version), `deployment` and `stage`.
    """

    type: Literal["invoke"] = "invoke"
    function: (
        Annotated[
            str,
            Field(pattern=_FUNCTION, min_length=1, max_length=256),
            Form(
                "NAME, ACCOUNT:function:NAME or arn:aws:lambda:REGION:ACCOUNT:function:NAME, each also with :QUALIFIER"
            ),
        ]
        | None
    ) = None
    """Name or ARN of another function, such as one that runs a test. Default: the new version of the deployed function."""
    qualifier: (
        Annotated[
            str,
            Field(pattern=r"^(\$LATEST|[A-Za-z0-9_-]+)$", max_length=128),
            Form("of a version, an alias or $LATEST"),
        ]
        | None
    ) = None
    """Version or alias of `function`."""
    payload: Any = Field(default={})
    """Event for the function. Everybody who may describe the plan can read it: no secrets."""
    response: Literal["payload", "http"] = "payload"
    """Format of the response: `payload` for JSON or text, `http` for `statusCode`, `headers` and `body`, as API Gateway, a
    load balancer or a function URL read it."""
    error: LiteralOrPredicate | None = None
    """Expected `errorType`, for a function that must fail. Default: an error of the function is a failure."""
    timeout_seconds: Annotated[float, Field(gt=0, le=MAX_LAMBDA_SECONDS)] = 10
    """Timeout of the call. It has to fit into one invocation of the hook, which is at most 900 s by ECS."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """Expectations about the response. Its latency is the duration in Lambda's report, if there is one."""

    @model_validator(mode="after")
    def _has_consistent_fields(self) -> InvokeCheck:
        if self.qualifier is not None and self.function is None:
            raise FieldError("qualifier: requires function; of the deployed function, the new version is called")
        if self.qualifier is not None and re.search(r":(\$LATEST|[A-Za-z0-9_-]+)$", _without_arn(self.function or "")):
            raise FieldError("qualifier: function has a qualifier already; remove one of the two")
        if self.expect.first_bytes is not None:
            raise FieldError("expect.first_bytes: not supported by this check, because the response of a function ends")
        if self.response == "payload" and {"status", "headers"} & self.expect.model_fields_set:
            raise FieldError('expect: status and headers require "response": "http"')
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        # An ECS service has no function of its own, so without `function` there is no call.
        actions = frozenset() if self.function is None else frozenset({INVOKE})
        return super().requirements()._replace(seconds=self.timeout_seconds, actions=actions)

    def run(self, context: CheckContext) -> Outcome:
        """Call the function, and evaluate its response."""
        deployment = context.deployment
        name = deployment.function if self.function is None else self.function
        version = deployment.green_version if self.function is None else self.qualifier or ""
        called = f"{name}:{version}" if version else name
        left = context.deadline.remaining()
        if left < self.timeout_seconds:
            return Outcome.error(
                f"timeout_seconds requires {self.timeout_seconds:g} s, but this invocation has {left:.0f} s left"
            )
        custom = {"ecs-hooks": __version__, "deployment": deployment.id, "stage": context.stage}
        began = time.perf_counter()
        try:
            invoked = invoke(name, version, self.payload, context.region, self.timeout_seconds, custom)
        except InvocationTimeoutError as error:
            return Outcome.failed(f"{called} {error}")
        took = time.perf_counter() - began
        return self._evaluate(called, invoked, took if invoked.seconds is None else invoked.seconds)

    def _evaluate(self, called: str, invoked: InvocationResult, seconds: float) -> Outcome:
        evidence: dict[str, float] = {"latency_ms": round(seconds * 1000, 1), "payload_bytes": len(invoked.payload)}
        if self.expect.max_latency_ms is not None:
            evidence["latency_ms_limit"] = self.expect.max_latency_ms
        redactor = Redactor()
        if self.error is not None:
            problem = self.error.problem_among([invoked.error_type] if invoked.error_type else [], redactor)
            if problem:
                return Outcome.failed(f"{called} error {problem}", evidence)
            return Outcome.passed(f"{called} failed with {invoked.error_type}, as expected", evidence)
        if invoked.error_type:
            return Outcome.failed(f"{called} failed with {invoked.error_type}; see its log", evidence)
        try:
            parts = (_OK, HTTPHeaderDict(), invoked.payload) if self.response == "payload" else _http(invoked.payload)
        except ValueError as error:
            return Outcome.failed(f"{called} {error}", evidence)
        response = Response(*parts, seconds, called, _NO_URL, timings=Timings(first_byte=seconds))
        failing, warnings = split_warnings(self.expect.unmet(response, redactor))
        warned = describe_warnings(warnings)
        if failing:
            return Outcome.failed(redactor.mask(f"{called} {describe(failing)}{warned}"), evidence)
        return Outcome.passed(redactor.mask(f"{called} responded in {seconds * 1000:.0f} ms{warned}"), evidence)


def _http(payload: bytes) -> tuple[int, HTTPHeaderDict, bytes]:
    """Return status, headers and body of a response in the format of API Gateway's proxy integration.

    Raises
    ------
    ValueError
        If the payload does not have that format.
    """
    try:
        answer = read_json(payload)
    except JsonError:
        answer = None
    if not isinstance(answer, dict) or type(answer.get("statusCode")) is not int:
        raise ValueError('response has no integer statusCode; remove "response": "http" to check the payload itself')
    headers = HTTPHeaderDict()
    for name, values in {**_object(answer.get("headers")), **_object(answer.get("multiValueHeaders"))}.items():
        for value in values if isinstance(values, list) else [values]:
            headers.add(str(name), str(value))
    body = answer.get("body")
    text = "" if body is None else str(body)
    if not answer.get("isBase64Encoded"):
        return answer["statusCode"], headers, text.encode("utf-8", "replace")
    try:
        return answer["statusCode"], headers, base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("response body is not valid Base64, although isBase64Encoded is true") from None


def _object(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
