from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import Check, CheckContext
from ecs_hooks.core import clock
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import Outcome
from tests.conftest import load_event

NOW = 1_800_000_000.0


class Next(Check):
    """Passes or fails as the next letter says."""

    type: str = "next"

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.passed("good") if letters.pop(0) == "p" else Outcome.failed("bad")


letters: list[str] = []


@pytest.fixture(autouse=True)
def _time() -> Iterator[None]:
    with clock.use(lambda: NOW + 60 * minute[0], is_exact=True):
        yield


minute = [0]


def ask(script: str, details: Any, at: int, **watch: Any) -> dict[str, Any]:
    letters[:], minute[0] = list(script), at
    check = Next(watch=Watch(for_minutes=9, **watch))
    event = load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT", hookDetails=details)
    return stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, [check])(event, None)


def test_a_failure_in_a_lost_answer_counts() -> None:
    details = ask("p", None, 0, failure_limit=1)["hookDetails"]
    assert ask("f", details, 1, failure_limit=1)["hookStatus"] == "IN_PROGRESS"

    again = ask("p", details, 2, failure_limit=1)  # the answer of minute 1 was lost
    assert "2 of 3 measurements passed" in again["reason"]
    third = ask("f", again["hookDetails"], 3, failure_limit=1)
    assert third["hookStatus"] == "FAILED"
    assert "2 of 4 measurements passed, the last: bad (failure_limit 1)" in third["reason"]


def test_a_failure_in_a_duplicate_counts_once() -> None:
    details = ask("p", None, 0, failure_limit=2)["hookDetails"]
    ask("f", details, 1, failure_limit=2)
    kept = ask("p", details, 1, failure_limit=2)  # counts the other's failure already
    assert "2 of 3 measurements passed" in kept["reason"]
    following = ask("p", kept["hookDetails"], 2, failure_limit=2)
    assert "3 of 4 measurements passed" in following["reason"]


def test_a_failure_of_the_duplicate_whose_answer_is_dropped_counts() -> None:
    details = ask("p", None, 0, failure_limit=2)["hookDetails"]
    kept = ask("p", details, 1, failure_limit=2)
    ask("f", details, 1, failure_limit=2)  # after it, and not kept
    following = ask("p", kept["hookDetails"], 2, failure_limit=2)
    assert "3 of 4 measurements passed" in following["reason"]
    last = ask("p", following["hookDetails"], 3, failure_limit=2)
    assert "4 of 5 measurements passed" in last["reason"]


def test_a_lost_failed_is_failed_again() -> None:
    details = ask("p", None, 0)["hookDetails"]
    assert ask("f", details, 1)["hookStatus"] == "FAILED"

    assert ask("p", details, 2)["hookStatus"] == "FAILED"


def test_an_answer_that_arrived_counts_once() -> None:
    details = ask("p", None, 0, failure_limit=3)["hookDetails"]
    for at, letter in enumerate("fpfp", start=1):
        details = ask(letter, details, at, failure_limit=3)["hookDetails"]

    assert "4 of 6 measurements passed" in ask("p", details, 5, failure_limit=3)["reason"]


def test_a_new_step_starts_anew() -> None:
    first = ask("f", None, 0, failure_limit=1)
    assert first["hookStatus"] == "IN_PROGRESS"
    assert "0 of 1 measurements" in first["reason"]
    assert "0 of 1 measurements" in ask("f", None, 0, failure_limit=1)["reason"]
