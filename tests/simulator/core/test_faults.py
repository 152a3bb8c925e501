from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator import LinearConfiguration, Service, Strategy
from ecs_hooks_simulator.core.faults import STAGES, Fault, FaultError, FaultKind, FaultSchedule

SHARE = st.decimals(min_value="0.1", max_value=100, places=1).map(float)
VALUES = {
    FaultKind.LATENCY: st.one_of(
        st.integers(1, 60_000).map(lambda milliseconds: {"seconds": milliseconds / 1000}),
        SHARE.map(lambda percent: {"percent": percent}),
    ),
    FaultKind.ERRORS: SHARE.map(lambda percent: {"percent": percent}),
}


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(FaultKind))
    value: dict[str, Any] = draw(VALUES.get(kind, st.just({})))
    when: dict[str, Any] = draw(
        st.one_of(
            SHARE.map(lambda share: {"from_percent": share}),
            st.sampled_from(STAGES).map(lambda stage: {"from_stage": str(stage)}),
        )
    )
    return Fault(kind=kind, **value, **when)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("latency=300ms@50%", Fault(kind=FaultKind.LATENCY, seconds=0.3, from_percent=50)),
        ("latency=2s", Fault(kind=FaultKind.LATENCY, seconds=2, from_stage="POST_SCALE_UP")),
        ("latency@0.5%", Fault(kind=FaultKind.LATENCY, seconds=6, from_percent=0.5)),
        ("latency=+30%@BAKE_TIME", Fault(kind=FaultKind.LATENCY, percent=30, from_stage="BAKE_TIME")),
        ("errors@10 %", Fault(kind=FaultKind.ERRORS, percent=50, from_percent=10)),
        ("errors=20%@POST_TEST_TRAFFIC_SHIFT", Fault(kind=FaultKind.ERRORS, percent=20, from_stage=STAGES[2])),
        ("crash", Fault(kind=FaultKind.CRASH)),
        ("hang@100%", Fault(kind=FaultKind.HANG, from_percent=100)),
    ],
)
def test_a_fault_is_parsed(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@given(faults())
def test_the_text_of_a_fault_can_be_parsed(fault: Fault) -> None:
    assert str(Fault.parse(str(fault))) == str(fault)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "unknown fault (empty); known faults: latency, errors, hang, crash"),
        ("slow@50%", "unknown fault slow"),
        ("latency=300", "latency=300: not a time with its unit, such as 300ms or 2s"),
        ("latency=30%", "not a time with its unit"),
        ("latency=0s", "latency must be greater than 0"),
        ("latency=+0%", "latency must be greater than 0"),
        ("errors=0%", "above 0 % and up to 100 %"),
        ("errors=101%", "above 0 % and up to 100 %"),
        ("errors=5", "errors=5: not a percentage of the requests, such as 20%"),
        ("crash=1", "crash takes no value"),
        ("crash@", "@: not a percentage of the production traffic, such as @50%, nor one of the stages POST_SCALE_UP"),
        ("crash@50", "not a percentage of the production traffic"),
        ("crash@PRE_SCALE_UP", "not a percentage of the production traffic"),
    ],
)
def test_the_error_of_an_invalid_fault_says_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(FaultError) as error:
        Fault.parse(text)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": FaultKind.CRASH, "percent": 5}, "crash takes no value"),
        ({"kind": FaultKind.ERRORS, "seconds": 5}, "errors must be a percentage"),
        ({"kind": FaultKind.LATENCY, "seconds": 5, "percent": 5}, "latency must be greater than 0"),
        ({"kind": FaultKind.HANG, "from_percent": 5, "from_stage": "BAKE_TIME"}, "one of them, not both"),
        ({"kind": FaultKind.HANG, "from_stage": "CLEAN_UP"}, "cannot begin at CLEAN_UP"),
    ],
)
def test_contradictory_fields_of_a_fault_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(FaultError, match=says):
        Fault(**fields)


@pytest.mark.parametrize("share", [0, 100.5])
def test_the_error_of_an_impossible_share_lists_the_possible_ones(share: float) -> None:
    service = Service(service="s", strategy=Strategy.LINEAR, linear=LinearConfiguration(step_percent=40))

    with pytest.raises(FaultError) as error:
        Fault(kind=FaultKind.CRASH, from_percent=share).check(service)

    assert str(error.value) == (
        f"green never gets {share:g} % of the production traffic; with LINEAR: 40 %, 80 %, 100 %"
    )
    Fault(kind=FaultKind.CRASH, from_percent=81).check(service)
    Fault(kind=FaultKind.CRASH).check(service)


def test_a_fault_is_due_once_when_its_share_is_reached() -> None:
    crash, errors, hang = (Fault.parse(text) for text in ("crash@50%", "errors@80%", "hang@BAKE_TIME"))
    schedule = FaultSchedule([crash, errors, hang])

    assert schedule.due(percent=49.9) == []
    assert schedule.due(stage="PRODUCTION_TRAFFIC_SHIFT") == []
    assert schedule.due(percent=60) == [crash]
    assert schedule.due(percent=100) == [errors]
    assert schedule.due(stage="BAKE_TIME") == [hang]
    assert schedule.due(stage="BAKE_TIME", percent=100) == []
