"""The built SAM application in Lambda's runtime: `sam local start-lambda` with containers that stay warm."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config

from ecs_hooks_simulator.application import free_port
from tests.support.aws import serving
from tests.support.layouts import healthy

ROOT = Path(__file__).resolve().parent.parent.parent
SAM = ROOT / ".venv-sam" / "bin" / "sam"
_STARTED = 60.0


def host_address() -> str:
    """Return the address at which containers reach this machine: the gateway of Docker's default network.

    That is the first address of its subnet, unless somebody configured another one.
    """
    shown = subprocess.run(
        ["docker", "network", "inspect", "bridge", "-f", "{{json (index .IPAM.Config 0)}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    network = json.loads(shown.stdout)
    return str(network.get("Gateway") or next(ip_network(network["Subnet"]).hosts()))


def image_options() -> list[str]:
    """Return the options that name another image than Amazon's, where `LAMBDA_IMAGE` does."""
    image = os.environ.get("LAMBDA_IMAGE")
    return ["--skip-pull-image", "--invoke-image", image] if image else []


class Functions(NamedTuple):
    """The running functions."""

    endpoint_url: str

    def invoke(self, function: str, payload: bytes) -> tuple[Any, bool]:
        """Invoke a function; return its answer, and whether it raised."""
        answer = self.client().invoke(FunctionName=function, Payload=payload)
        text = answer["Payload"].read()
        return text.decode(), "FunctionError" in answer or bool(re.search(rb'"errorType"', text))

    def client(self) -> Any:
        """Return a client of the Lambda endpoint."""
        return boto3.client(
            "lambda",
            endpoint_url=self.endpoint_url,
            region_name="us-west-2",
            aws_access_key_id="none",
            aws_secret_access_key="none",
            config=Config(read_timeout=150, retries={"total_max_attempts": 1}),
        )


class _Green(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"status": "ok"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def green() -> Iterator[str]:
    """An application that answers 200 to everything, where containers can reach it."""
    address = host_address()
    server = ThreadingHTTPServer((address, 0), _Green)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{address}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def with_endpoint(endpoint_url: str) -> Path:
    """Return the built template with functions that ask this endpoint in place of AWS."""
    built = ROOT / ".aws-sam" / "build" / "template.yaml"
    text = built.read_text()
    variable = "POWERTOOLS_METRICS_NAMESPACE: EcsHooks"
    indent = re.search(rf"^( *){variable}$", text, re.MULTILINE)
    assert indent is not None
    changed = built.with_name("template-of-tests.yaml")  # beside the other: its paths are relative
    changed.write_text(text.replace(variable, f"{variable}\n{indent.group(1)}AWS_ENDPOINT_URL: {endpoint_url}"))
    return changed


@contextlib.contextmanager
def start_lambda(tmp_path: Path, endpoint_url: str, **parameters: str) -> Iterator[Functions]:
    """Run `sam local start-lambda` with AWS at an endpoint and these parameters of the template, and end it."""
    port = free_port()
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    log = tmp_path / "start-lambda.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                SAM,
                *("local", "start-lambda", "--template", with_endpoint(endpoint_url)),
                *("--port", str(port), "--warm-containers", "LAZY"),
                *image_options(),
                *(["--parameter-overrides", *overrides] if overrides else []),
            ],
            cwd=ROOT,
            # The SAM CLI takes a function's variables from its own environment before the template's.
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": endpoint_url,
                "SAM_CLI_TELEMETRY": "0",
                "AWS_DEFAULT_REGION": "us-west-2",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(port, process, log)
            yield Functions(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _STARTED
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    pytest.fail(f"sam local start-lambda did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def functions(green: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """All functions of the application; AWS tells of a service that is well, whose listeners lead to `green`."""
    host, _, port = green.removeprefix("http://").rpartition(":")
    with serving(host) as aws:
        healthy(aws, int(port), host)
        with start_lambda(tmp_path_factory.mktemp("sam"), aws.url) as running:
            yield running
