from __future__ import annotations

import pytest

from ecs_hooks.core.deadline import Deadline, DeadlinePassedError, check_deadline, for_answer, for_checks, limited_by
from ecs_hooks.core.outcome import Outcome


def test_a_deadline_counts_down_to_nothing_and_no_further() -> None:
    assert 9 < Deadline.after(10).remaining() <= 10
    assert not Deadline.after(10).expired
    assert Deadline.after(-1).expired
    assert Deadline.after(-1).remaining() == 0.0


def test_of_two_the_sooner_counts() -> None:
    later = Deadline.after(100)

    assert later.sooner(1).remaining() <= 1
    assert later.sooner(1000) == later
    assert later.earlier(40).at == later.at - 40


@pytest.mark.parametrize(
    ("seconds", "answer", "checks"), [(900, 898, 895), (120, 118, 115), (10, 9, 8.1), (1, 0.8, 0.72)]
)
def test_what_of_an_invocation_is_for_the_answer_and_for_checks(seconds: float, answer: float, checks: float) -> None:
    assert for_answer(seconds) == pytest.approx(answer)
    assert for_checks(for_answer(seconds)) == pytest.approx(checks)


def test_a_computation_ends_at_the_deadline_of_its_thread() -> None:
    check_deadline()
    with limited_by(Deadline.after(100)):
        check_deadline()
        with limited_by(Deadline.after(-1)), pytest.raises(DeadlinePassedError) as ended:
            check_deadline()
        check_deadline()

    assert ended.value.outcome == Outcome.wait("not finished when the time of this invocation was over")
