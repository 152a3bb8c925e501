"""Where hooks live: a Python callable treated as Lambda treats it, or a function behind any Lambda endpoint.

Example
-------
>>> target = CallableTarget(lambda event, context: {"hookStatus": "SUCCEEDED"}, name="gate")
>>> target.arn
'arn:aws:lambda:us-west-2:123456789012:function:gate'
>>> target.invoke({"lifecycleStage": "PRE_SCALE_UP"})
{'hookStatus': 'SUCCEEDED'}
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from decimal import Decimal
from typing import Any

from ecs_hooks_simulator.core.errors import HookInvocationError
from ecs_hooks_simulator.core.ids import execution_id

Handler = Callable[[Any, Any], Any]

LONGEST_INVOCATION = 900.0
"""Seconds: a hook must have answered within 15 minutes."""
LARGEST_PAYLOAD = 6_291_556
"""Bytes of a synchronous invocation's event or response."""


class LambdaContext:
    """The context object of the Python runtime, with the types that Lambda gives its parts.

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
        self.aws_request_id = execution_id()
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"simulator/[$LATEST]{execution_id().replace('-', '')}"
        self.identity = None
        self.client_context = None
        self._end = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function times out."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class CallableTarget:
    """A handler in this process, invoked as Lambda invokes it.

    The event and the answer pass through JSON, an exception becomes a function error, and a handler that takes too
    long is given up (its thread goes on, as nothing can end it).

    Parameters
    ----------
    handler
        `lambda_handler(event, context)`.
    name
        Name of the function; the handler's by default.
    timeout_seconds
        Time-out of the function, in real time and in the simulation's.
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
        self._arn = arn or f"arn:aws:lambda:us-west-2:123456789012:function:{self.name}"

    @property
    def arn(self) -> str:
        """The ARN of the function."""
        return self._arn

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the handler and return what it answered.

        Raises
        ------
        HookInvocationError
            If it raised, took too long, or answered what is no JSON.
        """
        payload = json.dumps(event)
        if len(payload.encode()) > LARGEST_PAYLOAD:
            raise HookInvocationError(
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type", invoked=False
            )
        context = LambdaContext(self.name, self._arn, self._memory, self.timeout_seconds)
        results: queue.SimpleQueue[str | HookInvocationError] = queue.SimpleQueue()

        def work() -> None:
            try:
                results.put(json.dumps(self._handler(json.loads(payload), context), default=_plain, allow_nan=False))
            except BaseException as error:  # noqa: BLE001 - whatever a handler raises is a function error
                results.put(HookInvocationError(f"{type(error).__name__}: {error}"))

        # The context carries over, so that a hook that sleeps on a virtual clock is known to it.
        thread = threading.Thread(target=copy_context().run, args=(work,), name=f"hook-{self.name}", daemon=True)
        thread.start()
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

    Needs boto3, which is loaded with the first invocation.

    Parameters
    ----------
    function_name
        Name or ARN of the function. The runtime interface emulator wants `function`.
    endpoint_url
        Where Lambda's API is; None for AWS itself, with the usual credentials. Elsewhere none are needed.
    region
        AWS region.
    arn
        ARN of the function for ECS's messages, made from the name by default.
    timeout_seconds
        How long to wait for an answer.
    one_at_a_time
        Whether to let no two invocations overlap: the emulator does not survive that.
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
        self._arn = arn or named or f"arn:aws:lambda:{region}:123456789012:function:{function_name}"
        self._turn = threading.Lock() if one_at_a_time else None
        self._lock = threading.Lock()
        self._client: Any = None

    @property
    def arn(self) -> str:
        """The ARN of the function."""
        return self._arn

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the function synchronously and return what it answered.

        Raises
        ------
        HookInvocationError
            If it could not be invoked, raised, or took too long.
        """
        from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError  # noqa: PLC0415 - boto3 is slow

        try:
            response = self._invoke(json.dumps(event))
            body = response["Payload"].read()
        except ReadTimeoutError:
            raise HookInvocationError(f"Task timed out after {self.timeout_seconds:.2f} seconds") from None
        except (BotoCoreError, ClientError) as error:
            raise HookInvocationError(str(error), invoked=False) from None
        try:
            answer = json.loads(body) if body else None
        except ValueError:
            raise HookInvocationError("the function's answer is no JSON") from None
        # The emulator sends no FunctionError header; there an error shows only in the body.
        failed = isinstance(answer, dict) and "errorType" in answer and "hookStatus" not in answer
        if response.get("FunctionError") or failed:
            raise HookInvocationError(_error_text(answer))
        return answer

    def _invoke(self, payload: str) -> Any:
        client = self._connected()
        if self._turn is None:
            return client.invoke(FunctionName=self._name, Payload=payload)
        with self._turn:
            return client.invoke(FunctionName=self._name, Payload=payload)

    def _connected(self) -> Any:
        import boto3  # noqa: PLC0415 - only where a function is invoked through Lambda's API
        from botocore.config import Config  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                # Nobody checks the credentials of a local endpoint, but boto3 wants some.
                anybody = {"aws_access_key_id": "simulator", "aws_secret_access_key": "simulator"}
                self._client = boto3.client(
                    "lambda",
                    region_name=self._region,
                    endpoint_url=self._endpoint_url,
                    config=Config(read_timeout=self.timeout_seconds, retries={"total_max_attempts": 1}),
                    **(anybody if self._endpoint_url else {}),
                )
            return self._client


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _error_text(answer: Any) -> str:
    if not isinstance(answer, dict):
        return "the function raised"
    return f"{answer.get('errorType', 'Unhandled')}: {answer.get('errorMessage', '')}"
