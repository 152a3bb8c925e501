from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.core import clock
from ecs_hooks.core.sent_requests import MAX_LENGTH, Sent, SentRequests

COUNTS = st.dictionaries(
    st.integers(0, 999_999_999),
    st.integers(1, 999_999).flatmap(lambda number: st.tuples(st.just(number), st.integers(0, number))),
    max_size=3,
)


def test_requests_are_counted_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [6000.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    sent = SentRequests()
    assert (sent.dump(), sent.between(0, 1e10)) == ("", Sent())

    for seconds, failed in ((0, False), (59, True), (60, False), (120, False), (299, True)):
        now[0] = 6000 + seconds
        sent.add(failed=failed)

    assert sent.dump() == "100 2.1 1x2 0 1.1"
    again = SentRequests.load(sent.dump())
    assert again.dump() == sent.dump()
    assert again.between(6000, 6060) == Sent(2, 1)
    assert again.between(6060, 6240) == Sent(2, 0)
    assert again.between(0, 1e10) == Sent(5, 2)


@given(COUNTS)
def test_what_is_dumped_is_loaded(counts: Mapping[int, tuple[int, int]]) -> None:
    near = {7 + minute % 50: Sent(*each) for minute, each in counts.items()}
    text = SentRequests(near).dump()

    assert len(text) <= MAX_LENGTH
    assert SentRequests.load(text).dump() == text
    assert SentRequests.load(text).between(0, 1e12) == Sent(
        sum(each.requests for each in near.values()), sum(each.failed for each in near.values())
    )


def test_a_day_of_regular_requests_fits_and_of_irregular_ones_the_last_minutes() -> None:
    regular = SentRequests({minute: Sent(1) for minute in range(1440)})
    irregular = SentRequests({minute: Sent(1000 + minute) for minute in range(1440)})

    assert regular.dump() == "0 1x1440"
    assert len(irregular.dump()) <= MAX_LENGTH
    assert SentRequests.load(irregular.dump()).between(1430 * 60, 1440 * 60) == Sent(10 * 2434 + 5)


@pytest.mark.parametrize("text", ["x", "1 x", "1 2y", "1 2 -3", "9999999999 1", " "])
def test_altered_counts_are_none(text: str) -> None:
    assert SentRequests.load(text).dump() == ""
