"""How often a gate is wrong about a canary: blue's metrics in the same minutes against a fixed threshold.

`python -m benchmarks.judgement.canaries` plays canaries by the hundred, whole deployments in the simulator, with random
traffic. Half of them are as fast as blue, the others 30 % slower at p99. The gates are a `comparison` with its
default settings and, on the same traffic, a `metric` with a limit 15 % above the known p99 of blue.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from ecs_hooks import Hook, Stage, lifecycle_hook, stage_hook
from ecs_hooks.assertions.numbers import show_number
from ecs_hooks.checks import MetricCheck
from ecs_hooks_simulator import CallableTarget, LifecycleHook
from ecs_hooks_simulator.canaries import Canaries, Performance, Played

MINIMUM = 1200
"""Requests a minute to green that the comparison's default settings require, as in the README."""
WINDOW = 15
SLOWER = 1.3
LIMIT = 2.0
"""Percentage of the runs in which the comparison may be wrong, in each direction."""

BLUE = Performance()
GREENS: dict[str, Performance] = {
    "equal": BLUE,
    "tail": BLUE.slower_tail(SLOWER),
    "all": BLUE.slower(SLOWER),
}
"""Latencies of green: like blue's, with a slower tail, or all slower."""
_MARGIN = 1.15
_CHUNK = 10


class Judge(NamedTuple):
    """A gate before the second step.

    Parameters
    ----------
    name
        Its name in the table.
    hook
        Creates its hook, for a window of so many minutes.
    refusal
        Text of its reason if it rejects green; another failure would prove nothing.
    """

    name: str
    hook: Callable[[float], LifecycleHook]
    refusal: str


def _comparison(window_minutes: float) -> LifecycleHook:
    settings = {} if window_minutes == WINDOW else {"window_minutes": window_minutes}
    check = {"type": "comparison", "metrics": [{"metric": "TargetResponseTime", "stat": "p99"}], **settings}
    return _hook(stage_hook(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT), window_minutes, checks=[check])


def _fixed_threshold(window_minutes: float, *, failure_limit: int) -> LifecycleHook:
    query = {
        "namespace": "AWS/ApplicationELB",
        "metric": "TargetResponseTime",
        "stat": "p99",
        "dimensions": {"LoadBalancer": "{load_balancer}", "TargetGroup": "{green.target_group}"},
    }
    check = MetricCheck.model_validate(
        {
            "queries": {"p99": query},
            "fail_if": {"above": _MARGIN * BLUE.quantile(0.99)},
            "failure_limit": failure_limit,
            "window_minutes": window_minutes,
            "min_samples": 5,
        }
    )

    @lifecycle_hook
    def lambda_handler(hook: Hook) -> Generator[MetricCheck, None, None]:
        if hook.deployment.green_percent:  # before that there are no metrics
            yield check

    return _hook(lambda_handler, window_minutes)


def _hook(handler: Callable[..., Any], window_minutes: float, **details: Any) -> LifecycleHook:
    return LifecycleHook(
        target=CallableTarget(handler, name="gate"),
        lifecycle_stages=[Stage.PRE_PRODUCTION_TRAFFIC_SHIFT],
        hook_details={"timeout_minutes": window_minutes + 15, **details},
    )


JUDGES: dict[str, Judge] = {
    "comparison": Judge("comparison with blue", _comparison, "worse: TargetResponseTime p99"),
    "threshold": Judge(
        "threshold, no datapoint above it",
        lambda window: _fixed_threshold(window, failure_limit=0),
        f"above {show_number(_MARGIN * BLUE.quantile(0.99))}",
    ),
    "half": Judge(
        "threshold, half of them may be",
        lambda window: _fixed_threshold(window, failure_limit=int(window / 2)),
        f"above {show_number(_MARGIN * BLUE.quantile(0.99))}",
    ),
}


def play(canaries: Canaries, judge: str, green: str, seed: int, *, window: float = WINDOW) -> Played:
    """Play a canary, and return its result.

    Parameters
    ----------
    canaries
        The canaries, with the blue of this module.
    judge, green
        Keys of `JUDGES` and `GREENS`.
    seed
        The seed of the traffic.
    window
        The window in minutes.

    Raises
    ------
    RuntimeError
        If the deployment ended in another way than by a verdict about green at the first step.
    """
    chosen = JUDGES[judge]
    played = canaries.play(seed, GREENS[green], hooks=[chosen.hook(window)])
    if not played.passed and not (played.stopped and chosen.refusal in played.reason):
        raise RuntimeError(f"{judge}, {green}, seed {seed}: {played}")
    return played


def rolled_back(options: argparse.Namespace) -> dict[tuple[str, str], int]:
    """Play all canaries in several processes, and return the number of rollbacks by judge and green."""
    counts = dict.fromkeys(((judge, green) for judge in options.judges for green in ("equal", options.slower)), 0)
    seeds = range(options.first_seed, options.first_seed + options.runs)
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), _begin, (options.requests,)) as pool:
        jobs = {
            pool.submit(_stopped, *each, seeds[begin : begin + _CHUNK], options.window): each
            for each in counts
            for begin in range(0, options.runs, _CHUNK)
        }
        for number, job in enumerate(as_completed(jobs), 1):
            counts[jobs[job]] += job.result()
            print(f"\r{number * _CHUNK} of {len(jobs) * _CHUNK} deployments", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return counts


_canaries: list[Canaries] = []
"""The canaries of a process of the pool; their endpoint ends with the process."""


def _begin(requests: float) -> None:
    logging.getLogger("ecs-hooks").setLevel("CRITICAL")
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    _canaries.append(Canaries(requests_per_minute=requests, blue=BLUE).__enter__())


def _stopped(judge: str, green: str, seeds: Sequence[int], window: float) -> int:
    stopped = sum(play(_canaries[0], judge, green, seed, window=window).stopped for seed in seeds)
    gc.collect()  # deployments have reference cycles, which would fill the memory
    return stopped


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and return 0 if the comparison is wrong in at most 2 % of the runs, in each direction."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judgement.canaries", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=200, help="canaries of each kind (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="the seeds follow from here (%(default)s)")
    parser.add_argument("--requests", type=float, default=MINIMUM, help="of green, a minute (%(default)s)")
    parser.add_argument("--window", type=float, default=WINDOW, help="minutes (%(default)s)")
    parser.add_argument("--slower", choices=["tail", "all"], default="tail", help="what is slower (%(default)s)")
    parser.add_argument("--judges", nargs="+", choices=list(JUDGES), default=list(JUDGES), help="(all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (%(default)s)")
    options = parser.parse_args(arguments)
    counts = rolled_back(options)
    print(f"{options.requests:g} requests a minute of green, {options.window:g} minutes, {options.runs} runs each")
    print(f"{'judged by':34} {'false rollbacks':>18} {'missed regressions':>20}")
    wrong = {judge: (counts[judge, "equal"], options.runs - counts[judge, options.slower]) for judge in options.judges}
    for judge, (false, missed) in wrong.items():
        shares = [f"{count} ({100 * count / options.runs:.1f} %)" for count in (false, missed)]
        print(f"{JUDGES[judge].name:34} {shares[0]:>18} {shares[1]:>20}")
    return int(any(100 * count > LIMIT * options.runs for count in wrong.get("comparison", ())))


if __name__ == "__main__":
    sys.exit(main())
