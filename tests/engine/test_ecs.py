from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.engine.ecs import is_rollback
from tests.conftest import BLUE, GREEN, load_event, shifted
from tests.support.answers import NAMES


class Told:
    """What ECS would say, and whether it was asked."""

    def __init__(self, *, rolling_back: bool = False, strategy: str = "BLUE_GREEN", known: bool = True) -> None:
        self.rolling_back = rolling_back
        self.strategy = strategy
        self.known = known
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        return self if self.known else None


SHIFTS = [("PRODUCTION_TRAFFIC_SHIFT", "production"), ("TEST_TRAFFIC_SHIFT", "test")]
BACK = {GREEN: 0, BLUE: 100}


def judge(stage: str, listener: str, weights: dict[str, float], told: Told) -> bool:
    return is_rollback(LifecycleEvent.parse(shifted(stage, **{listener: weights})), told)


@pytest.mark.parametrize(("stage", "listener"), SHIFTS)
def test_a_shift_to_all_of_green_needs_no_question(stage: str, listener: str) -> None:
    told = Told(rolling_back=True)

    assert not judge(stage, listener, {GREEN: 100, BLUE: 0}, told)
    assert told.asked == 0


@pytest.mark.parametrize(("stage", "listener"), SHIFTS)
@pytest.mark.parametrize(
    ("weights", "told", "rollback"),
    [
        (BACK, Told(rolling_back=True), True),
        (BACK, Told(), True),
        (BACK, Told(strategy="LINEAR"), False),
        (BACK, Told(strategy="CANARY"), False),
        (BACK, Told(strategy="CANARY", rolling_back=True), True),
        (BACK, Told(known=False), True),
        ({GREEN: 10, BLUE: 90}, Told(rolling_back=True), True),
        ({GREEN: 10, BLUE: 90}, Told(), False),
        ({GREEN: 10, BLUE: 90}, Told(known=False), False),
        ({}, Told(rolling_back=True), True),
        ({}, Told(known=False), False),
        ({GREEN: 0}, Told(known=False), False),
        ({BLUE: 100}, Told(known=False), False),
    ],
)
def test_each_row_of_the_table(
    stage: str, listener: str, weights: dict[str, float], told: Told, *, rollback: bool
) -> None:
    assert judge(stage, listener, weights, told) is rollback


@pytest.mark.parametrize("name", NAMES)
def test_of_the_sample_events_only_two_are_rollbacks(name: str) -> None:
    event = LifecycleEvent.parse(load_event(name))

    assert is_rollback(event, Told(known=False)) is name.endswith("_rollback")


def test_the_trap_before_the_production_shift_the_same_weights_mean_forward() -> None:
    told = Told(rolling_back=True)

    assert not is_rollback(LifecycleEvent.parse(load_event("pre_production_traffic_shift")), told)
    assert told.asked == 0


def test_the_weights_of_the_other_listener_do_not_count() -> None:
    event = LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 100}, test=BACK))

    assert not is_rollback(event, Told(rolling_back=True))
