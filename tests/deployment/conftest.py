from __future__ import annotations

from tests.http.fixtures import authority, serve, trusted

__all__ = ["authority", "serve", "trusted"]
