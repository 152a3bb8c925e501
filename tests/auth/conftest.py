from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.auth.authorization_server import AuthorizationServer, serving
from tests.http.fixtures import _loopback_allowed, authority, serve, trusted

__all__ = ["_loopback_allowed", "authority", "serve", "tokens", "trusted"]


@pytest.fixture
def tokens() -> Iterator[AuthorizationServer]:
    with serving() as server:
        yield server
