from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
import urllib3

from ecs_hooks_simulator import demo_app


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(demo_app.DemoApplication, "demo", demo_app.Demo("1", tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), demo_app.DemoApplication)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_reports_its_name_and_version(address: str) -> None:
    assert urllib3.request("GET", f"{address}/").json() == {"application": "demo", "version": "1"}
    assert urllib3.request("GET", f"{address}/health").json() == {"status": "ok", "version": "1"}
    assert urllib3.request("GET", f"{address}/else").status == 404
    assert urllib3.request("POST", f"{address}/else").status == 404


def test_an_upload_is_stored_and_described(address: str) -> None:
    content = bytes(range(256)) * 100
    fields: dict[str, Any] = {"file": ("data.bin", content, "application/octet-stream"), "description": "validation"}

    response = urllib3.request("POST", f"{address}/process", fields=fields)

    assert response.json() == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "version": "1"}


@pytest.mark.parametrize("fields", [{"description": "no file"}, None])
def test_an_upload_without_a_file_is_a_bad_request(address: str, fields: dict[str, str] | None) -> None:
    assert urllib3.request("POST", f"{address}/process", fields=fields).status == 400


def test_a_missing_folder_breaks_only_uploads(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_app.DemoApplication, "demo", demo_app.Demo("1", Path("/nonexistent/uploads")))

    response = urllib3.request("POST", f"{address}/process", fields={"file": ("a.txt", "hello")})

    assert response.status == 500
    assert response.json() == {"error": "FileNotFoundError"}
    assert urllib3.request("GET", f"{address}/health").status == 200


def test_the_program_listens_at_host_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[str, int]] = []

    class Server:
        def __init__(self, address: tuple[str, int], handler: type) -> None:
            served.append(address)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing was opened."""

        def serve_forever(self) -> None:
            """Do not."""

    monkeypatch.setattr(demo_app, "ThreadingHTTPServer", Server)
    monkeypatch.setenv("HOST", "127.0.0.2")
    monkeypatch.setenv("PORT", "4711")

    demo_app.main()

    assert served == [("127.0.0.2", 4711)]


def test_it_runs_as_a_program() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ecs_hooks_simulator.demo_app"],
        env={**os.environ, "PORT": "0"},
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
