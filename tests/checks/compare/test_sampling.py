from __future__ import annotations

from collections import Counter

from ecs_hooks.checks.compare.comparable_response import ComparableResponse
from ecs_hooks.checks.compare.sampling import sample_rounds
from ecs_hooks.core.deadline import Deadline


def order(count: int) -> str:
    sent: list[str] = []

    def send(side: str) -> ComparableResponse:
        sent.append(side)
        return ComparableResponse(side + str(len(sent)))

    rounds = list(sample_rounds(lambda: send("b"), lambda: send("g"), count, 0, Deadline.after(20)))
    assert [each.green.problem[0] for each in rounds] == ["g"] * count
    assert all(
        one.problem[0] == "b" and int(one.problem[1:]) < int(two.problem[1:]) for one, two in (r.blue for r in rounds)
    )
    return "".join(sent)


def test_green_is_first_second_and_third_equally_often_without_a_pattern() -> None:
    sent = order(30)
    rounds = Counter(sent[each : each + 3] for each in range(0, 90, 3))

    assert rounds == {"gbb": 10, "bgb": 10, "bbg": 10}
    assert order(30) == sent
    assert len({sent[each : each + 9] for each in range(0, 90, 9)}) > 5


def test_after_the_deadline_no_round_starts() -> None:
    assert list(sample_rounds(ComparableResponse, ComparableResponse, 30, 0, Deadline.after(0))) == []
    assert len(list(sample_rounds(ComparableResponse, ComparableResponse, 30, 60, Deadline.after(0.2)))) == 1
