"""Runs of the situations, in several processes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from benchmarks.judgement.situations import Situation, situations
from benchmarks.judgement.table import Judged, Tally, judge

_CHUNK = 50

_Part = tuple[str, list[int]]
"""The label of a situation, and seeds."""


def judge_all(chosen: Sequence[Situation], seeds: Sequence[int], jobs: int) -> list[Judged]:
    """Judge situations in several processes; with one job, in this process."""
    parts = [
        (each.label, list(seeds[begin : begin + _CHUNK])) for each in chosen for begin in range(0, len(seeds), _CHUNK)
    ]
    tallies: dict[str, list[dict[str, Tally]]] = {each.label: [{} for _ in each.rows] for each in chosen}
    for number, (label, found) in enumerate(_judged(parts, jobs), 1):
        for total, part in zip(tallies[label], found, strict=True):
            for gate, tally in part.items():
                total.setdefault(gate, Tally()).add(tally)
        print(f"\r{number} of {len(parts)} parts", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [
        Judged(each, row, by_gate)
        for each in chosen
        for row, by_gate in zip(each.rows, tallies[each.label], strict=True)
    ]


def _judged(parts: Sequence[_Part], jobs: int) -> Iterator[tuple[str, list[dict[str, Tally]]]]:
    if jobs == 1:
        yield from ((part[0], _judge(*part)) for part in parts)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin) as pool:
        futures = {pool.submit(_judge, *part): part[0] for part in parts}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _begin() -> None:
    logging.getLogger("ecs-hooks").setLevel("CRITICAL")


def _judge(label: str, seeds: Sequence[int]) -> list[dict[str, Tally]]:
    # Functions of a situation cannot be sent to another process.
    return judge(next(each for each in situations() if each.label == label), seeds)
