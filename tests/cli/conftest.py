from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ecs_hooks.cli.commands import ecs_hooks
from tests.http.fixtures import serve

__all__ = ["ROOT", "Run", "run", "serve"]

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command where the README's reader stands, and return how it ended."""
    monkeypatch.chdir(ROOT)
    return lambda *arguments: CliRunner().invoke(ecs_hooks, [str(argument) for argument in arguments])
