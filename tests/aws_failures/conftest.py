from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_hooks.core import clock
from tests.aws_failures.operations import NOW, OPERATIONS, without_failures
from tests.support.aws import AwsApi, serving


@pytest.fixture(scope="session")
def server() -> Iterator[AwsApi]:
    """One server for all tests here, so that clients are reused: making them takes longer than a test."""
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def aws(server: AwsApi, httpd: str, environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsApi]:
    """AWS without failures, called with one attempt and a long timeout."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("ECS_HOOKS_AWS_TIMEOUT_SECONDS", "10")
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    server.well()
    server.calls.clear()
    without_failures(server, int(httpd.rpartition(":")[2]))
    with clock.use(lambda: NOW):
        yield server


@pytest.fixture(params=sorted(OPERATIONS))
def action(request: pytest.FixtureRequest) -> str:
    return str(request.param)
