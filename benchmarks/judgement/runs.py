"""Runs of the situations in several processes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from benchmarks.judgement.situations import Situation, situations
from benchmarks.judgement.table import Judged, Tally, judge

_CHUNK = 50


def judge_all(chosen: Sequence[Situation], seeds: range, jobs: int) -> list[Judged]:
    """Judge situations in several processes."""
    tallies: dict[str, list[dict[str, Tally]]] = {}
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin) as pool:
        futures = {
            pool.submit(_judge, each.label, list(seeds[begin : begin + _CHUNK])): each.label
            for each in chosen
            for begin in range(0, len(seeds), _CHUNK)
        }
        for number, future in enumerate(as_completed(futures), 1):
            found, label = future.result(), futures[future]
            for total, part in zip(tallies.setdefault(label, [{} for _ in found]), found, strict=True):
                for gate, tally in part.items():
                    total.setdefault(gate, Tally()).add(tally)
            print(f"\r{number} of {len(futures)} parts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [
        Judged(each, row, by_gate)
        for each in chosen
        for row, by_gate in zip(each.rows, tallies[each.label], strict=True)
    ]


def _begin() -> None:
    logging.getLogger("ecs-hooks").setLevel("CRITICAL")


def _judge(label: str, seeds: Sequence[int]) -> list[dict[str, Tally]]:
    return judge(next(each for each in situations() if each.label == label), seeds)
