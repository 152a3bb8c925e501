from __future__ import annotations

from ecs_hooks.deadline import Deadline


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
