"""Where hooks run: a Python callable, invoked as Lambda does, or a function behind any Lambda endpoint.

Example
-------
>>> target = CallableTarget(lambda event, context: {"hookStatus": "SUCCEEDED"}, name="gate")
>>> target.arn
'arn:aws:lambda:us-west-2:123456789012:function:gate'
>>> target.invoke({"lifecycleStage": "PRE_SCALE_UP"})
{'hookStatus': 'SUCCEEDED'}
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import copy_context
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from ecs_hooks.core.json_text import read_json
from ecs_hooks_simulator.core.clock import Clock
from ecs_hooks_simulator.core.errors import HookInvocationError

Handler = Callable[[Any, Any], Any]
"""`lambda_handler(event, context)`."""

LONGEST_INVOCATION = 900.0
"""Seconds: a hook must return within 15 minutes."""
LARGEST_PAYLOAD = 6_291_556
"""Bytes of a synchronous invocation's event or response."""


class HookTarget(Protocol):
    """What ECS invokes for an `AWS_LAMBDA` hook."""

    @property
    def arn(self) -> str:
        """The ARN of the function, as it appears in ECS's messages."""

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the hook and return its JSON response.

        Raises
        ------
        HookInvocationError
            If the function raised, timed out or could not be invoked.
        """


class LambdaContext:
    """The context object of the Python runtime, with the types that Lambda gives its attributes.

    Parameters
    ----------
    function_name, invoked_function_arn, memory_limit_in_mb
        As configured; the memory is text, as in Lambda.
    timeout_seconds
        From which `get_remaining_time_in_millis` counts down in real time.
    """

    def __init__(
        self, function_name: str, invoked_function_arn: str, memory_limit_in_mb: str, timeout_seconds: float
    ) -> None:
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = invoked_function_arn
        self.memory_limit_in_mb = memory_limit_in_mb
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"simulator/[$LATEST]{uuid.uuid4().hex}"
        self.identity = None
        self.client_context: Any = None
        self._end = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function times out."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class CallableTarget:
    """A handler in this process, invoked as Lambda does.

    Event and response pass through JSON, and an exception becomes a function error. A handler that takes too long is
    abandoned; its thread goes on, since nothing can end it.

    Parameters
    ----------
    handler
        `lambda_handler(event, context)`.
    name
        Name of the function; the handler's by default.
    timeout_seconds
        Timeout of the function, in real time and in the simulation's.
    memory_limit_in_mb
        Memory of the function, for the context object only.
    arn
        ARN of the function, made from the name by default.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        name: str = "",
        timeout_seconds: float = LONGEST_INVOCATION,
        memory_limit_in_mb: int = 128,
        arn: str = "",
    ) -> None:
        self.name = name or getattr(handler, "__name__", "").strip("<>") or "hook"
        self.timeout_seconds = timeout_seconds
        self._handler = handler
        self._memory = str(memory_limit_in_mb)
        self.arn = arn or f"arn:aws:lambda:us-west-2:123456789012:function:{self.name}"

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the handler and return its response.

        Raises
        ------
        HookInvocationError
            If it raised, took too long, or returned a value that is not JSON.
        """
        payload = json.dumps(event)
        if len(payload.encode()) > LARGEST_PAYLOAD:
            raise HookInvocationError(
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type", invoked=False
            )
        context = LambdaContext(self.name, self.arn, self._memory, self.timeout_seconds)
        results: queue.SimpleQueue[str | HookInvocationError] = queue.SimpleQueue()

        def work() -> None:
            try:
                results.put(json.dumps(self._handler(json.loads(payload), context), default=_decimal, allow_nan=False))
            except BaseException as error:  # noqa: BLE001 - any exception of a handler is a function error
                results.put(HookInvocationError(f"{type(error).__name__}: {error}"))

        # With the context, so that a virtual clock recognises a hook that sleeps on it.
        threading.Thread(target=copy_context().run, args=(work,), name=f"hook-{self.name}", daemon=True).start()
        try:
            result = results.get(timeout=self.timeout_seconds)
        except queue.Empty:
            raise HookInvocationError(
                f"{context.aws_request_id} Task timed out after {self.timeout_seconds:.2f} seconds"
            ) from None
        if isinstance(result, HookInvocationError):
            raise result
        if len(result.encode()) > LARGEST_PAYLOAD:
            raise HookInvocationError(
                f"Response payload size exceeded maximum allowed payload size ({LARGEST_PAYLOAD} bytes)."
            )
        return json.loads(result)


class LambdaTarget:
    """A function behind a Lambda endpoint: AWS, `sam local start-lambda` or the runtime interface emulator.

    Requires boto3, which is loaded with the first invocation.

    Parameters
    ----------
    function_name
        Name or ARN of the function. The runtime interface emulator requires `function`.
    endpoint_url
        Address of Lambda's API; None for AWS itself, with the usual credentials. Other endpoints need none.
    region
        AWS region.
    arn
        ARN of the function for ECS's messages, made from the name by default.
    timeout_seconds
        How long to wait for a response.
    one_at_a_time
        Whether invocations must not overlap: two at a time crash the emulator.
    """

    def __init__(
        self,
        function_name: str,
        *,
        endpoint_url: str | None = None,
        region: str = "us-west-2",
        arn: str = "",
        timeout_seconds: float = LONGEST_INVOCATION,
        one_at_a_time: bool = True,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self._name = function_name
        self._endpoint_url = endpoint_url
        self._region = region
        named = function_name if function_name.startswith("arn:") else ""
        self.arn = arn or named or f"arn:aws:lambda:{region}:123456789012:function:{function_name}"
        self._turn = threading.Lock() if one_at_a_time else nullcontext()
        self._lock = threading.Lock()
        self._client: Any = None

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the function synchronously and return its response.

        Raises
        ------
        HookInvocationError
            If it could not be invoked, raised, or took too long.
        """
        from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError  # noqa: PLC0415 - boto3 is slow

        try:
            client = self._connected()
            with self._turn:
                response = client.invoke(FunctionName=self._name, Payload=json.dumps(event))
            body = response["Payload"].read()
        except ReadTimeoutError:
            raise HookInvocationError(f"Task timed out after {self.timeout_seconds:.2f} seconds") from None
        except (BotoCoreError, ClientError) as error:
            raise HookInvocationError(str(error), invoked=False) from None
        try:
            answer = read_json(body) if body else None
        except ValueError:
            raise HookInvocationError("the function's response is not JSON") from None
        # The emulator sends no FunctionError header; there an error shows only in the body.
        failed = isinstance(answer, dict) and "errorType" in answer and "hookStatus" not in answer
        if response.get("FunctionError") or failed:
            raise HookInvocationError(
                f"{answer.get('errorType', 'Unhandled')}: {answer.get('errorMessage', '')}"
                if isinstance(answer, dict)
                else "the function raised an exception"
            )
        return answer

    def _connected(self) -> Any:
        import boto3  # noqa: PLC0415 - only where a function is invoked through Lambda's API
        from botocore.config import Config  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                # A local endpoint does not check credentials, but boto3 requires some.
                fake = {"aws_access_key_id": "simulator", "aws_secret_access_key": "simulator"}
                self._client = boto3.client(
                    "lambda",
                    region_name=self._region,
                    endpoint_url=self._endpoint_url,
                    config=Config(read_timeout=self.timeout_seconds, retries={"total_max_attempts": 1}),
                    **(fake if self._endpoint_url else {}),
                )
            return self._client


async def invoke(target: HookTarget, event: dict[str, Any], clock: Clock) -> Any:
    """Invoke a target with a copy of the event on a clock, and return its response.

    Raises
    ------
    HookInvocationError
        If the target raised, returned a value that is not JSON, or took longer than its timeout: at most fifteen minutes
        in the simulation's time, while the target itself watches its real time.
    """
    limit = min(LONGEST_INVOCATION, getattr(target, "timeout_seconds", LONGEST_INVOCATION))
    try:
        async with asyncio.timeout(limit):
            return await clock.call(partial(_invoke, target, json.dumps(event)))
    except TimeoutError:
        raise HookInvocationError(f"Task timed out after {limit:.2f} seconds") from None


def _invoke(target: HookTarget, event: str) -> Any:
    try:
        return json.loads(json.dumps(target.invoke(json.loads(event)), allow_nan=False))
    except HookInvocationError:
        raise
    except Exception as error:
        raise HookInvocationError(f"{type(error).__name__}: {error}", invoked=False) from error


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
