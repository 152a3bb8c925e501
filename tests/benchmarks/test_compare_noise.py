"""A sample of the benchmark of false alarms, with seeds."""

from __future__ import annotations

import sys

import pytest

from benchmarks import compare_noise
from ecs_hooks.core.outcome import Status
from tests.http.fixtures import _loopback_allowed

__all__ = ["_loopback_allowed"]

SAMPLE = ("sampled_map", "walking_level", "queue_busy", "worker_map", "metrics", "html_nonce", "html_assets", "ndjson")


@pytest.mark.parametrize("endpoint", SAMPLE)
def test_equal_applications_raise_no_alarm(endpoint: str) -> None:
    for seed in (1, 2):
        outcome = compare_noise.compare(endpoint, seed, samples=30)
        assert outcome.status is Status.PASS, outcome


def test_it_prints_the_alarms_by_endpoint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["compare_noise", "--runs", "1", "--endpoints", "constant"])
    compare_noise.main()
    assert capsys.readouterr().out.split("\n")[-2].split() == ["all", "0", "of", "1"]
