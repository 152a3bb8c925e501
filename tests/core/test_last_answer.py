from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.last_answer import LastAnswer
from ecs_hooks.core.state import State
from tests.conftest import load_event

NOW = 1_800_000_000.0
EVENT = LifecycleEvent.parse(load_event())
FIRST = LastAnswer(1_800_000_000, 60, 0, id="0a1b2c3d")

skews = st.lists(st.integers(-10, 10).map(lambda minutes: 60.0 * minutes), min_size=1, max_size=4)
any_skews = st.lists(st.floats(-600, 600), min_size=1, max_size=4)


def counted(
    instances: list[float], choices: list[int], delay: int, late: list[float], *, verified: bool = False
) -> tuple[list[float], list[float]]:
    """Play invocations on instances whose clocks are wrong by so much; return the true and the counted seconds."""
    passed, true, elapsed, stored = 0.0, [], [], None
    for number, choice in enumerate(choices):
        now = NOW + passed + (0.0 if verified else instances[choice % len(instances)])
        state = State.load(stored, EVENT, now, is_verified=verified)
        true.append(passed)
        elapsed.append(now - state.started_at)
        stored = state.answered(now, delay, f"{number:08x}", is_verified=verified).dump()
        passed += delay + late[number % len(late)]
    return true, elapsed


sequences = {
    "choices": st.lists(st.integers(0, 3), min_size=2, max_size=60),
    "delay": st.integers(1, 300),
    "late": st.lists(st.floats(0, 9), min_size=1, max_size=3),
}


@given(instances=skews, **sequences)
def test_clocks_that_are_minutes_off_count_no_more_than_has_passed(
    instances: list[float], choices: list[int], delay: int, late: list[float]
) -> None:
    true, elapsed = counted(instances, choices, delay, late)

    # Seconds are cut, and lateness of less than half a minute cannot be told from a clock's error.
    assert all(mine <= real + 2 + 9 * number for number, (real, mine) in enumerate(zip(true, elapsed, strict=True)))
    assert all(mine <= delay * number + 2 + max(late) * number for number, mine in enumerate(elapsed))


@given(instances=any_skews, **sequences)
@example(instances=[7.0, 0.0], choices=[1, 0, 1, 0], delay=1, late=[0.0])
def test_the_counted_time_is_wrong_by_no_more_than_clocks_differ(
    instances: list[float], choices: list[int], delay: int, late: list[float]
) -> None:
    true, elapsed = counted(instances, choices, delay, late)

    difference = max(instances) - min(instances)
    for number, (real, mine) in enumerate(zip(true, elapsed, strict=True)):
        assert mine <= real + difference + 2 + number
        assert mine >= delay * number - 2 * difference - 2 - 2 * number
    assert elapsed == pytest.approx(sorted(elapsed), abs=2.1 + len(elapsed))  # seconds are cut, in each invocation


@given(instances=skews, **sequences)
def test_with_awss_time_it_is_exact(instances: list[float], choices: list[int], delay: int, late: list[float]) -> None:
    late = [each * 100 for each in late]
    true, elapsed = counted(instances, choices, delay, late, verified=True)

    assert elapsed == pytest.approx(true, abs=1e-6)


@pytest.mark.parametrize(
    ("last", "seconds", "expected", "owed"),
    [
        (FIRST, 60, 60, 0),
        (FIRST, 75, 75, -15),  # late
        (FIRST, 45, 45, 15),
        (FIRST, 20, 20, 40),  # early, or a clock that is behind
        (FIRST, -240, 0, 60),
        (FIRST, 360, 60, 0),  # late, or a clock that is ahead
        (FIRST._replace(owed=50), 360, 110, 0),  # ahead again
        (FIRST._replace(owed=50), 100, 100, 10),
        (FIRST._replace(owed=-50), 360, 10, 0),  # more was counted than requested
        (FIRST._replace(owed=-100), -240, 0, -40),
        (FIRST._replace(owed=-100, is_doubtful=True), 80, 0, -40),
    ],
)
def test_the_time_since_an_answer(last: LastAnswer, seconds: float, expected: float, owed: int) -> None:
    found, now = last.elapsed(last.at + seconds, 30, is_verified=False)

    assert (found, now.owed) == (expected, owed)


def test_awss_time_counts_as_it_is() -> None:
    last = FIRST._replace(is_verified=True, owed=7)

    assert last.elapsed(NOW + 3600, 30, is_verified=True) == (3600, last)
    assert last.elapsed(NOW - 3, 30, is_verified=True) == (0, last)
    assert last.elapsed(NOW + 3600, 30, is_verified=False)[0] == 67


@given(
    st.builds(
        LastAnswer,
        st.integers(1, 10**12 - 1),
        st.integers(0, 86_400),
        st.integers(-999_999, 999_999),
        st.booleans(),
        st.booleans(),
        st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
        st.from_regex(r"([0-9a-f]{8})?", fullmatch=True),
    )
)
def test_an_answer_is_read_as_it_was_written(last: LastAnswer) -> None:
    assert LastAnswer.decode(last.encode()) == last


@pytest.mark.parametrize("text", ["", None, 5, "1.2.3", "x.60.0.00.0a1b2c3d.", FIRST.encode() + "x", {}])
def test_anything_else_is_no_answer(text: object) -> None:
    assert LastAnswer.decode(text) == LastAnswer()
    assert LastAnswer().encode() == ""


def test_when_ecs_gives_up_follows_the_clock() -> None:
    state = State.load(None, EVENT, NOW)._replace(expires_at=int(NOW) + 600)
    stored = state.answered(NOW, 60, "0a1b2c3d", is_verified=False).dump()

    ahead = State.load(stored, EVENT, NOW + 60 + 300)
    assert (ahead.started_at, ahead.expires_at) == (NOW + 300, NOW + 900)
    assert not ahead.is_plausible
    on_time = State.load(stored, EVENT, NOW + 61)
    assert (on_time.started_at, on_time.expires_at) == (NOW, NOW + 600)
    assert on_time.is_plausible
