"""The demo application as a Lambda function, behind a function URL or invoked with a payload."""

from __future__ import annotations

import base64
import json
from typing import Any

from ecs_hooks_simulator.demo_app import Demo


def lambda_handler(event: Any, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer an event.

    Parameters
    ----------
    event
        The event of a function URL; or any payload, whose text `file` is stored like an upload.
    context
        Lambda's context.

    Raises
    ------
    OSError
        If a file cannot be stored.
    """
    demo = Demo.of_environment()
    http = event.get("requestContext", {}).get("http") if isinstance(event, dict) else None
    if http is None:
        content = event.get("file") if isinstance(event, dict) else None
        return demo.answer("GET", "/health")[1] if content is None else demo.keep(str(content).encode())
    body = event.get("body") or ""
    content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    status, value = demo.answer(http["method"], event["rawPath"], event["headers"].get("content-type", ""), content)
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(value)}
