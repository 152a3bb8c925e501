from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator.core.faults import Fault, FaultKind
from ecs_hooks_simulator.traffic.fault_injection import FaultEffect, FaultInjector


def disturbances(*texts: str) -> FaultInjector:
    made = FaultInjector()
    for text in texts:
        made.add(Fault.parse(text))
    return made


@given(percent=st.integers(1, 100), hundreds=st.integers(1, 5))
def test_shares_are_exact(percent: int, hundreds: int) -> None:
    made = FaultInjector()
    made.add(Fault(kind=FaultKind.ERRORS, percent=percent))

    failed = [made.next("production").fails for _ in range(100 * hundreds)]

    assert sum(failed) == percent * hundreds


def test_shares_are_evenly_spread_and_each_listener_has_its_own() -> None:
    made = disturbances("errors=20%")

    assert [made.next("production").fails for _ in range(10)] == [False, False, False, False, True] * 2
    assert [made.next("test").fails for _ in range(5)] == [False, False, False, False, True]


def test_the_worst_of_several_faults_counts() -> None:
    made = disturbances("latency=2s", "latency=1s", "latency=+50%", "hang", "errors=100%", "errors=1%")

    assert made.next("test") == FaultEffect(fails=True, hangs=True, delay=2, stretch=0.5)
    assert made.next("test").extra_seconds(4) == 4
    assert disturbances().next("test") == FaultEffect()
    assert disturbances().next("test").extra_seconds(4) == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash", "Target.FailedHealthChecks"),
        ("hang", "Target.Timeout"),
        ("latency=5s", "Target.Timeout"),
        ("errors=100%", "Target.ResponseCodeMismatch"),
        ("latency=4999ms", None),
        ("latency=+900%", None),
        ("errors=99%", None),
    ],
)
def test_faults_that_fail_a_health_check(fault: str, reason: str | None) -> None:
    why = disturbances(fault).unhealthy

    assert (why.reason if why else None) == reason
