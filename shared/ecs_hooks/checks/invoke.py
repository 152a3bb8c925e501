"""The invoke check: the new version of a Lambda function answers as it should."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from urllib3 import HTTPHeaderDict

from ecs_hooks.assertions.expect import Expect, describe, describe_warnings, parted
from ecs_hooks.assertions.predicate import LiteralOrPredicate
from ecs_hooks.aws.lambda_function import INVOKE, Invoked, LateError, invoke
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.url import Url

_NOWHERE = Url.parse("http://lambda")
_OK = 200


class InvokeCheck(Check):
    """Calls the new version of the Lambda function that is deployed, and judges what it answers.

    The call is made once: it is not repeated where no answer comes. Where the deployment is of an ECS service it does not
    apply, unless `function` names what to call.
    """

    type: Literal["invoke"] = "invoke"
    function: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name or ARN of another function to call, such as one that runs a test. Default: the new version of the deployed one."""
    qualifier: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Version or alias of `function`."""
    payload: Any = Field(default={})
    """The event that the function gets. Whoever may describe the plan can read it: no secrets."""
    response: Literal["payload", "http"] = "payload"
    """How the answer is read: `payload` as JSON or text, `http` as API Gateway, a load balancer or a function URL does:
    `statusCode`, `headers` and `body`."""
    error: LiteralOrPredicate | None = None
    """What `errorType` must be, where the function is to fail. Default: it must not."""
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Longest wait for the answer."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the answer. Its latency is the function's own duration, where Lambda tells it."""

    @model_validator(mode="after")
    def _go_together(self) -> InvokeCheck:
        if self.qualifier is not None and self.function is None:
            raise ValueError("qualifier goes with function: of the deployed one the new version is called")
        if self.response == "payload" and {"status", "headers"} & self.expect.model_fields_set:
            raise ValueError('expect.status and expect.headers need "response": "http"')
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        # A service has no function of its own, so the name says whether there is a call.
        required = super().requirements()
        return required._replace(
            seconds=self.timeout_seconds, actions=frozenset() if self.function is None else frozenset({INVOKE})
        )

    def run(self, context: CheckContext) -> Outcome:
        """Call it, and judge.

        Parameters
        ----------
        context
            Deadline and the deployment.
        """
        deployment = context.deployment
        name = deployment.function if self.function is None else self.function
        version = deployment.green_version if self.function is None else self.qualifier or ""
        called = f"{name}:{version}" if version else name
        left = context.deadline.remaining()
        if left < self.timeout_seconds:
            return Outcome.error(
                f"timeout_seconds needs {self.timeout_seconds:g} s, {left:.0f} s are left of this invocation"
            )
        began = time.perf_counter()
        try:
            invoked = invoke(name, version, self.payload, context.region, self.timeout_seconds)
        except LateError as error:
            return Outcome.failed(f"{called} {error}")
        took = time.perf_counter() - began
        return self._judge(called, invoked, took if invoked.seconds is None else invoked.seconds)

    def _judge(self, called: str, invoked: Invoked, seconds: float) -> Outcome:
        evidence: dict[str, float] = {"latency_ms": round(seconds * 1000, 1), "payload_bytes": len(invoked.payload)}
        if self.expect.max_latency_ms is not None:
            evidence["latency_ms_limit"] = self.expect.max_latency_ms
        redactor = Redactor()
        if self.error is not None:
            problem = self.error.problem_among([invoked.error_type] if invoked.error_type else [], redactor)
            if problem:
                return Outcome.failed(f"{called} error {problem}", evidence)
            return Outcome.passed(f"{called} failed with {invoked.error_type}, as it should", evidence)
        if invoked.error_type:
            return Outcome.failed(f"{called} failed with {invoked.error_type}; its log tells more", evidence)
        try:
            response = self._response(called, invoked.payload, seconds)
        except ValueError as error:
            return Outcome.failed(f"{called} {error}", evidence)
        failing, warnings = parted(self.expect.unmet(response, redactor))
        warned = describe_warnings(warnings)
        if failing:
            return Outcome.failed(redactor.mask(f"{called} {describe(failing)}{warned}"), evidence)
        return Outcome.passed(redactor.mask(f"{called} answered in {seconds * 1000:.0f} ms{warned}"), evidence)

    def _response(self, called: str, payload: bytes, seconds: float) -> Response:
        proxied = (_OK, HTTPHeaderDict(), payload) if self.response == "payload" else _http(payload)
        return Response(*proxied, seconds, called, _NOWHERE, timings=Timings(first_byte=seconds))


def _http(payload: bytes) -> tuple[int, HTTPHeaderDict, bytes]:
    """Read an answer as a proxy integration of API Gateway does.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or type(answer.get("statusCode")) is not int:
        raise ValueError('answered without a statusCode, so it is no HTTP response: leave out "response": "http"')
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
        raise ValueError("answered with a body that is no Base64, though isBase64Encoded says so") from None


def _object(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
