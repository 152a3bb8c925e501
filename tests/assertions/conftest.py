from __future__ import annotations

from tests.http.fixtures import _loopback_allowed, authority, serve, trusted

__all__ = ["_loopback_allowed", "authority", "serve", "trusted"]
