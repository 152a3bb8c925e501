"""A small web application to deploy: `python -m ecs_hooks_simulator.demo_app`.

It accepts uploads. `HOST` and `PORT` are its address, `VERSION` is its version, and `STORE` its folder for uploads: a
folder that does not exist is a typical mistake in a new revision's task definition.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Demo:
    """The application without its server: a version, and a folder for uploads."""

    def __init__(self, version: str, store: Path) -> None:
        self._version = version
        self._store = store

    @classmethod
    def of_environment(cls) -> Demo:
        """Return the application that `VERSION` and `STORE` describe."""
        return cls(os.environ.get("VERSION", "1"), Path(os.environ.get("STORE", tempfile.gettempdir())))

    def answer(self, method: str, path: str, content_type: str = "", body: bytes = b"") -> tuple[int, Any]:
        """Return the status and the JSON value for a request."""
        match method, path:
            case "GET", "/":
                return 200, {"application": "demo", "version": self._version}
            case "GET", "/health":
                return 200, {"status": "ok", "version": self._version}
            case "POST", "/process":
                return self._process(_parts(content_type, body).get("file"))
            case _:
                return 404, {"error": "not found"}

    def keep(self, content: bytes) -> dict[str, Any]:
        """Store an uploaded file, and return its size and digest.

        Raises
        ------
        OSError
            If it cannot be stored.
        """
        with tempfile.NamedTemporaryFile(dir=self._store) as kept:
            kept.write(content)
            kept.flush()
            digest = hashlib.sha256(Path(kept.name).read_bytes()).hexdigest()
        return {"size": len(content), "sha256": digest, "version": self._version}

    def _process(self, content: bytes | None) -> tuple[int, Any]:
        if content is None:
            return 400, {"error": "a file is missing"}
        try:
            return 200, self.keep(content)
        except OSError as error:
            return 500, {"error": type(error).__name__}


class DemoApplication(BaseHTTPRequestHandler):
    """`GET /`, `GET /health` and `POST /process`, which accepts a multipart upload."""

    protocol_version = "HTTP/1.1"
    demo = Demo.of_environment()

    def do_GET(self) -> None:
        """Respond to the home page and the health check."""
        self._answer(*self.demo.answer("GET", self.path))

    def do_POST(self) -> None:
        """Respond to an upload."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(*self.demo.answer("POST", self.path, self.headers.get("Content-Type", ""), body))

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the parts of a multipart body by name."""
    message = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body
    )
    if not message.is_multipart():
        return {}
    parts = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        parts[str(name)] = payload if isinstance(payload, bytes) else b""
    return parts


def main() -> None:
    """Serve until the process ends."""
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    with ThreadingHTTPServer(address, DemoApplication) as server:
        server.serve_forever()


if __name__ == "__main__":  # pragma: no cover - another process, which a test starts
    main()
