"""(a) A cold start of the HTTP-only hook, against the news blog's sample, each with its upload."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.events import ROOT, UPLOAD, event
from benchmarks.runtime import cold_start
from benchmarks.server import serving

RUNS = 15

RUNTIME = "3.13"
"""Python of the functions (`Runtime` in template.yaml)."""


def run(runs: int = RUNS) -> list[dict[str, Any]]:
    """Start both in turn, and return the medians and the ratio: in this Python, and in the functions' where it is there.

    The limit holds for the functions' own Python 3.13, whose imports cost less than those of 3.11.
    """
    version = ".".join(str(part) for part in sys.version_info[:2])
    environment = {"PYTHONPATH": str(ROOT / "shared")}
    rows = [_compare(runs, version, sys.executable, environment, limit=2.0 if version == RUNTIME else None)]
    python = _runtime_python()
    if version != RUNTIME and python is not None:
        with TemporaryDirectory() as folder:
            _install(Path(folder))
            environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{folder}"}
            rows.append(_compare(runs, RUNTIME, python, environment, limit=2.0))
    return rows


def _compare(
    runs: int, version: str, python: str, environment: dict[str, str], *, limit: float | None
) -> dict[str, Any]:
    hook_times, sample_times, ratios = [], [], []
    with serving() as address:
        asked = event(base_url=address, checks=[UPLOAD])
        for index in range(runs + 1):
            sample, answer = cold_start(
                [python],
                "news_blog_sample.lambda_handler",
                ROOT / "benchmarks",
                event(),
                **environment,
                APP_URL=address,
            )
            _require_success("the sample", answer)
            hook, answer = cold_start(
                [python],
                "post_test_traffic_shift.lambda_handler",
                ROOT / "hooks",
                asked,
                **environment,
                ECS_HOOKS_ALLOWED_HOSTS="127.0.0.1",
            )
            _require_success("the hook", answer)
            if index == 0:  # the first pair only fills the file cache and compiles
                continue
            hook_times.append(hook)
            sample_times.append(sample)
            ratios.append(hook / sample)
    return {
        "name": f"cold start, Python {version}",
        "measured_ms": median(hook_times) * 1000,
        "baseline": "news blog sample",
        "baseline_ms": median(sample_times) * 1000,
        "ratio": median(ratios),
        "limit": limit,
    }


def _runtime_python() -> str | None:
    """Return the functions' own Python, where this machine has it."""
    python = shutil.which(f"python{RUNTIME}")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    return python


def _install(folder: Path) -> None:
    """Install what the layer holds, and Lambda's runtime client, for the functions' own Python."""
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--python-version", RUNTIME, "--target", str(folder)),
            *("--requirement", str(ROOT / "benchmarks" / "requirements.txt")),
        ],
        check=True,
    )


def _require_success(who: str, answer: Any) -> None:
    if answer.get("hookStatus") != "SUCCEEDED":
        message = f"{who} answered {answer}"
        raise RuntimeError(message)
