from __future__ import annotations

import pytest

from benchmarks import samples


def test_the_same_requests_are_sent_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "")
    rows = samples.run(requests=40, rounds=2)

    assert [(each["baseline"], each["limit"]) for each in rows] == [
        ("urllib3.PoolManager", 1.3),
        ("urllib3.HTTPConnectionPool", None),
    ]
    assert all(each["measured_ms"] > 0 and each["baseline_ms"] > 0 for each in rows)
