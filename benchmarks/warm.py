"""(c) The cost of a warm invocation beside its request."""

from __future__ import annotations

import os
import time
from contextlib import redirect_stdout
from io import StringIO
from statistics import median
from typing import Any

from benchmarks import news_blog_sample
from benchmarks.events import UPLOAD, event
from benchmarks.many_checks import stage_handler
from benchmarks.server import serving

RUNS = 300


def run(runs: int = RUNS) -> dict[str, Any]:
    """Invoke the hook and the sample in turn, both warm, each with its upload."""
    os.environ["ECS_HOOKS_ALLOWED_HOSTS"] = "127.0.0.1"
    handler = stage_handler()
    news_blog_sample.logger.setLevel("WARNING")
    hook_times, sample_times = [], []
    with serving() as address, redirect_stdout(StringIO()):
        os.environ["APP_URL"] = address
        details, plain = event(base_url=address, checks=[UPLOAD]), event()
        for _ in range(runs):
            began = time.perf_counter()
            handler(details, None)
            between = time.perf_counter()
            news_blog_sample.lambda_handler(plain, None)
            hook_times.append(between - began)
            sample_times.append(time.perf_counter() - between)
    hook, sample = median(hook_times), median(sample_times)
    return {
        "name": "warm invocation, one upload",
        "measured_ms": hook * 1000,
        "baseline": "news blog sample",
        "baseline_ms": sample * 1000,
        "ratio": hook / sample,
        "limit": None,
        "overhead_ms": (hook - sample) * 1000,
    }
