"""A scenario of two requests: the first captures, the second uses what was captured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecs_hooks.checks import ScenarioCheck
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint
from tests.checks.asking import context
from tests.http.fixtures import Serve
from tests.http.servers import Peer

FACTS: dict[str, Any] = {
    "id": 5123,
    "float": 1.5,
    "text": "order 5123",
    "code": 201,
    "numeral": "201",
    "word": "a.b",
    "yes": True,
    "none": None,
    "object": {"exists": True},
    "list": [5123, "x"],
    "name": "X-Order",
    "member": "text",
    "infinite": "inf",
    "braces": "{{secret}}",
}


class Story:
    """Records the requests that the server got."""

    def __init__(self, serve: Serve) -> None:
        self.requests: list[str] = []
        self.answers: dict[str, tuple[bytes, tuple[str, ...], str]] = {}
        self.server = serve(self._script)

    def _script(self, peer: Peer) -> None:
        request = peer.request().decode("latin-1")
        self.requests.append(request)
        path = request.split(" ")[1]
        body, headers, status = self.answers.get(path, (json.dumps(FACTS).encode(), ("X-Order: 5123",), "200 OK"))
        peer.answer(body, *headers, status=status)

    def answer(self, path: str, body: bytes = b"", *headers: str, status: str = "200 OK") -> None:
        self.answers[path] = (body, headers, status)

    @property
    def lines(self) -> list[str]:
        """The request lines."""
        return [each.split(" HTTP/")[0] for each in self.requests]

    def play(self, *requests: Mapping[str, Any], green: str | Endpoint = "", **fields: Any) -> Outcome:
        whole = {"requests": requests, "budget_seconds": 10, **fields}
        return ScenarioCheck.model_validate(whole).run(context(green or self.server.url))

    def after(self, path: str, request: Mapping[str, Any], **fields: Any) -> Outcome:
        """Capture the value at a JSONPath as `x`, and use it in a second request."""
        first = {"path": "/first", "captures": {"x": {"query": "jsonpath", "path": path}}}
        return self.play(first, {"path": "/second", **request}, **fields)
