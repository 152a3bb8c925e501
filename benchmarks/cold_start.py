"""(a) A cold start of the HTTP-only hook, against the news blog's sample, each with its upload."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.events import ROOT, UPLOAD, event
from benchmarks.runtime import cold_start
from benchmarks.server import serving

RUNS = 15


def run(runs: int = RUNS) -> dict[str, Any]:
    """Start both in turn, and return the medians and the ratio."""
    hook_times, sample_times, ratios = [], [], []
    with serving() as address:
        asked = event(base_url=address, checks=[UPLOAD])
        for index in range(runs + 1):
            sample, answer = cold_start(
                "news_blog_sample.lambda_handler", ROOT / "benchmarks", event(), APP_URL=address
            )
            _require_success("the sample", answer)
            hook, answer = cold_start(
                "post_test_traffic_shift.lambda_handler", ROOT / "hooks", asked, ECS_HOOKS_ALLOWED_HOSTS="127.0.0.1"
            )
            _require_success("the hook", answer)
            if index == 0:  # the first pair only fills the file cache and compiles
                continue
            hook_times.append(hook)
            sample_times.append(sample)
            ratios.append(hook / sample)
    return {
        "name": "cold start, one upload",
        "measured_ms": median(hook_times) * 1000,
        "baseline": "news blog sample",
        "baseline_ms": median(sample_times) * 1000,
        "ratio": median(ratios),
        "limit": 2.0,
    }


def _require_success(who: str, answer: Any) -> None:
    if answer.get("hookStatus") != "SUCCEEDED":
        message = f"{who} answered {answer}"
        raise RuntimeError(message)
