from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ecs_hooks_cli.commands import ecs_hooks
from tests.cli.account import Account
from tests.http.fixtures import serve
from tests.support.aws import AwsApi, serving

__all__ = ["ROOT", "Doctor", "Run", "account", "cloud", "doctor", "run", "serve"]

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command where the README's reader stands, and return how it ended."""
    monkeypatch.chdir(ROOT)
    return lambda *arguments: CliRunner().invoke(ecs_hooks, [str(argument) for argument in arguments])


class Doctor:
    """Runs the command, and reads what it found."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.status = -1
        self.findings: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}

    def __call__(self, *options: str) -> list[dict[str, Any]]:
        result = self._run("doctor", "my-cluster/my-service", "--json", *options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        *findings, self.summary = (json.loads(line) for line in result.output.splitlines())
        self.status = result.exit_code
        self.findings = findings
        return findings

    def of(self, subject: str) -> list[tuple[str, str]]:
        """Return level and text of what was found about something."""
        return [(each["level"], each["text"]) for each in self.findings if each["subject"] == subject]

    def fix(self, text: str) -> str:
        """Return the fix of the finding with this text in it."""
        (found,) = [each["fix"] for each in self.findings if text in each["text"]]
        return str(found)

    def bad(self) -> list[tuple[str, str, str]]:
        """Return what is not ok: level, subject and text."""
        return [(each["level"], each["subject"], each["text"]) for each in self.findings if each["level"] != "ok"]


@pytest.fixture
def doctor(run: Run) -> Doctor:
    return Doctor(run)


@pytest.fixture(scope="session")
def cloud() -> Iterator[AwsApi]:
    """One AWS for all tests, since each further one takes new clients, and EC2's takes half a second."""
    with serving() as server:
        yield server


@pytest.fixture
def account(cloud: AwsApi, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account in which nothing is wrong."""
    cloud.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    return Account(cloud)
