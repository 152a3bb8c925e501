from __future__ import annotations

from collections import Counter

from ecs_hooks.checks.compare.answer import Answer
from ecs_hooks.checks.compare.rounds import take
from ecs_hooks.core.deadline import Deadline


def order(count: int) -> str:
    asked: list[str] = []

    def ask(side: str) -> Answer:
        asked.append(side)
        return Answer(side + str(len(asked)))

    rounds = list(take(lambda: ask("b"), lambda: ask("g"), count, 0, Deadline.after(20)))
    assert [each.green.problem[0] for each in rounds] == ["g"] * count
    assert all(
        one.problem[0] == "b" and int(one.problem[1:]) < int(two.problem[1:]) for one, two in (r.blue for r in rounds)
    )
    return "".join(asked)


def test_green_comes_first_second_and_third_equally_often_in_no_pattern() -> None:
    asked = order(30)
    rounds = Counter(asked[each : each + 3] for each in range(0, 90, 3))

    assert rounds == {"gbb": 10, "bgb": 10, "bbg": 10}
    assert order(30) == asked
    assert len({asked[each : each + 9] for each in range(0, 90, 9)}) > 5


def test_when_the_time_is_over_no_further_round_is_begun() -> None:
    assert list(take(Answer, Answer, 30, 0, Deadline.after(0))) == []
    assert len(list(take(Answer, Answer, 30, 60, Deadline.after(0.2)))) == 1
