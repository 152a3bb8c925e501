from __future__ import annotations

import math

import pytest

from ecs_hooks.checks.load import evaluate
from tests.http.fixtures import _loopback_allowed, authority, serve, trusted

__all__ = ["_loopback_allowed", "authority", "serve", "trusted"]


@pytest.fixture
def fast_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the delay that the function itself adds to a load, which is large on a busy machine."""
    monkeypatch.setattr(evaluate, "_MAX_OWN_DELAY_MS", math.inf)
    monkeypatch.setattr(evaluate, "_SAFETY_FACTOR", 0)
