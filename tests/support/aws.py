"""AWS over HTTP on loopback: real wire formats, answers as a test wants them.

moto's server knows no service revisions and can't fail on demand, so only its parsers and serializers are used here.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from botocore.endpoint import Endpoint
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from urllib3.connection import HTTPConnection
from werkzeug.datastructures import Headers, MultiDict

_SIGNED = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""Services that requests are signed for by another name than boto3's."""

_IAM = {"elbv2": "elasticloadbalancing", "lambda:Invoke": "lambda:InvokeFunction"}
"""Services and actions that IAM calls by another name than boto3."""


_MAX_QUERIES = 500
"""Most queries in one GetMetricData."""


class Silence(Enum):
    """How not to answer."""

    HANG = "take the request, and say nothing"
    CLOSE = "close the connection in place of an answer"
    RESET = "reset it"
    HALF = "close it in the middle of an answer"


Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]


class AwsApi(ThreadingHTTPServer):
    """Answers what it was told to, and counts.

    Attributes
    ----------
    calls
        How often each operation was called.
    operations
        Each operation that was called, with its service.
    asked
        The parameters of each call, by operation.
    regions
        The regions that calls were signed for.
    delay
        Seconds before each answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.reset()

    def reset(self) -> None:
        """Forget everything; clients that know the address stay of use."""
        self.calls: Counter[str] = Counter()
        self.operations: set[tuple[str, str]] = set()
        self.asked: dict[str, list[dict[str, Any]]] = {}
        self.regions: set[str] = set()
        self.delay = 0.0
        self._answers: dict[str, Answer] = {}
        self._errors: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self._raw: dict[str, tuple[bytes, int]] = {}
        self._changes: dict[str, Callable[[bytes], bytes]] = {}
        self._silent: dict[str, Silence] = {}

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def answer(self, operation: str, answer: Answer) -> None:
        """Answer an operation with this, from now on."""
        self._errors.pop(operation, None)
        self._answers[operation] = answer

    def asking(self, operation: str) -> dict[str, Any]:
        """Return what an operation is answered with, to change it."""
        answer = self._answers[operation]
        assert isinstance(answer, dict)
        return answer

    @property
    def actions(self) -> set[str]:
        """The IAM actions of everything that was asked since `operations` was cleared."""
        found = {f"{_IAM.get(service, service)}:{operation}" for service, operation in self.operations}
        return {_IAM.get(action, action) for action in found}

    def error(self, operation: str, code: str, status: int = 400, **members: Any) -> None:
        """Answer an operation with an error, from now on; only JSON protocols have members."""
        self._errors[operation] = (code, status, {"message": "no", **members})

    def garbage(self, operation: str, body: bytes, status: int = 200) -> None:
        """Answer an operation with these bytes, from now on."""
        self._raw[operation] = (body, status)

    def change(self, operation: str, change: Callable[[bytes], bytes]) -> None:
        """Answer an operation as told, but with other bytes, from now on."""
        self._changes[operation] = change

    def silence(self, operation: str, how: Silence) -> None:
        """Answer an operation not at all, or not to the end, from now on."""
        self._silent[operation] = how

    def silent(self, operation: str) -> Silence | None:
        return self._silent.get(operation)

    def well(self) -> None:
        """Take back all errors, garbage, changes and silence; the answers stay."""
        for each in (self._errors, self._raw, self._changes, self._silent):
            each.clear()

    def reply(
        self, service: str, protocol: str, operation: str, parameters: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        self.calls[operation] += 1
        self.operations.add((service, operation))
        self.asked.setdefault(operation, []).append(parameters)
        time.sleep(self.delay)
        if operation in self._raw:
            body, status = self._raw[operation]
            return status, {}, body
        if operation in self._errors:
            code, status, members = self._errors[operation]
            return status, {}, _error(protocol, code, members)
        if len(parameters.get("MetricDataQueries") or ()) > _MAX_QUERIES:
            return 400, {}, _error(protocol, "ValidationError", {})
        answer = self._answers[operation]
        serializer = get_serializer_class(service, protocol)(
            get_service_model(service).operation_model(operation), context=SerializationContext(request_id="1")
        )
        made = serializer.serialize(answer(parameters) if callable(answer) else answer)
        body = made["body"] if isinstance(made["body"], bytes) else str(made["body"]).encode()
        return made["status_code"], dict(made["headers"]), self._changes.get(operation, bytes)(body)

    def handle_error(self, *_: object) -> None:
        """Stay silent: clients give up on purpose."""


def role_keys(
    key_id: str = "ASIA", secret_key: str = "s3cret", token: str = "t0ken", *, expires: float = 4e9
) -> dict[str, Any]:
    """Return what STS answers to AssumeRole."""
    ends = datetime.fromtimestamp(expires, UTC)
    keys = {"AccessKeyId": key_id, "SecretAccessKey": secret_key, "SessionToken": token, "Expiration": ends}
    return {"Credentials": keys}


def _error(protocol: str, code: str, members: dict[str, Any]) -> bytes:
    if protocol in {"json", "rest-json"}:
        return json.dumps({"__type": code, **members}).encode()
    error = b"<Error><Code>%s</Code><Message>no</Message></Error>" % code.encode()
    if protocol == "rest-xml":
        return error
    if protocol == "ec2":
        return b"<Response><Errors>%s</Errors><RequestID>1</RequestID></Response>" % error
    return b"<ErrorResponse>%s</ErrorResponse>" % error


def _at(model: Any, method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return the REST operation at a path, and what stands in the path for its parameters."""
    # Of two operations at the same path, one is told by its query.
    for name in sorted(model.operation_names, key=lambda name: "?" in model.operation_model(name).http["requestUri"]):
        http = model.operation_model(name).http
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", pattern)
        found = re.fullmatch(pattern, path)
        if found and http["method"] == method:
            return str(name), {key: unquote(value) for key, value in found.groupdict().items()}
    raise LookupError(f"{method} {path}")


class _Handler(BaseHTTPRequestHandler):
    server: AwsApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: in two, the second waits 40 ms for the client's acknowledgement

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        # AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...
        _, _, region, signed, _ = self.headers["Authorization"].split("/", 4)
        self.server.regions.add(region)
        service = _SIGNED.get(signed, signed)
        model = get_service_model(service)
        path, _, query = self.path.partition("?")
        target = self.headers.get("X-Amz-Target", "")
        protocol = str(model.protocol)
        url_params: dict[str, str] = {}
        form: dict[str, list[str]] = {}
        if target:
            protocol, operation = "json", target.partition(".")[2]
        elif protocol in {"rest-json", "rest-xml"}:
            operation, url_params = _at(model, self.command, path)
            form = parse_qs(query)
        else:
            form = parse_qs(body.decode(), keep_blank_values=True)
            operation = form["Action"][0]
        parser = PROTOCOL_PARSERS[protocol](model.operation_model(operation))
        parameters = parser.parse(
            {
                "body": body,
                "headers": Headers(dict(self.headers)),
                "values": MultiDict({name: values[0] for name, values in form.items()}),
                "url_params": url_params,
                "url_path": path,
                "method": self.command,
            }
        )
        status, headers, answer = self.server.reply(service, protocol, operation, parameters)
        how = self.server.silent(operation)
        if how is Silence.HANG:
            self.connection.settimeout(10)
            self.rfile.read(1)  # until the client gives up
        if how is Silence.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        if how in {Silence.HANG, Silence.RESET, Silence.CLOSE}:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if how is Silence.HALF else answer)
        self.close_connection = how is Silence.HALF

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def hurried(server: AwsApi) -> Iterator[None]:
    """Let botocore's clients give up at once where the server hangs; every other call has its whole timeout."""
    calling = threading.local()
    send, receive = Endpoint._do_get_response, HTTPConnection.getresponse

    def noting(self: Any, request: Any, operation_model: Any, context: Any) -> Any:
        calling.hangs = server.silent(operation_model.name) is Silence.HANG
        return send(self, request, operation_model, context)

    def receiving(self: HTTPConnection) -> Any:
        if getattr(calling, "hangs", False):
            self.timeout = 0.02
        return receive(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "_do_get_response", noting)
        patch.setattr(HTTPConnection, "getresponse", receiving)
        yield


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[AwsApi]:
    """Run an `AwsApi`."""
    server = AwsApi(host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
