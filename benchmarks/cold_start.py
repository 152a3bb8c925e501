"""(a) A cold start of the HTTP-only hook, against the news blog's sample, each with its upload."""

from __future__ import annotations

from typing import Any

from benchmarks.cold_pairs import Function, compare
from benchmarks.events import ROOT, UPLOAD, event
from benchmarks.interpreters import RUNTIME, interpreters
from benchmarks.server import serving

RUNS = 15


def run(runs: int = RUNS) -> list[dict[str, Any]]:
    """Start both in turn, and return the medians and the ratio, for each available Python.

    The limit applies to Python 3.13, which the functions use. Its imports cost less than those of 3.11.
    """
    with interpreters() as pythons, serving() as address:
        hook = Function(
            "post_test_traffic_shift.lambda_handler",
            ROOT / "hooks",
            event(base_url=address, checks=[UPLOAD]),
            {"ECS_HOOKS_ALLOWED_HOSTS": "127.0.0.1"},
            "SUCCEEDED",
        )
        sample = Function(
            "news_blog_sample.lambda_handler", ROOT / "benchmarks", event(), {"APP_URL": address}, "SUCCEEDED"
        )
        return [
            {
                "name": f"cold start, Python {python.version}",
                "baseline": "news blog sample",
                **compare(python, hook, sample, runs),
                "limit": 2.35 if python.version == RUNTIME else None,
            }
            for python in pythons
        ]
