from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.common.text import cut, number, runs, shortened, tally, without_numbers


def test_neighbours_with_the_same_key_are_a_run() -> None:
    assert runs("aabbbA", str.lower) == [["a", "a"], ["b", "b", "b"], ["A"]]


def test_texts_of_the_same_kind_are_equal_without_numbers() -> None:
    assert without_numbers("12 of 13 passed in 4.5 ms, 1,234 left") == without_numbers("3 of 4 passed in 17 ms, 9 left")
    assert without_numbers("1 passed") != without_numbers("1 failed")


@given(st.lists(st.integers(), max_size=200), st.integers(3, 50))
def test_a_long_list_keeps_its_ends(items: list[int], most: int) -> None:
    seen: list[int] = []

    def left_out(middle: object) -> int:
        assert isinstance(middle, list)
        seen.extend(middle)
        return 10**9

    short = shortened(items, most, left_out)

    assert len(short) == min(len(items), most)
    if len(items) > most:
        place = short.index(10**9)
        assert [*short[:place], *seen, *short[place + 1 :]] == items
        assert place > len(short) - place - 1
    else:
        assert short == items


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (5, "5"),
        (5.0, "5"),
        (0.012345, "0.0123"),
        (2.5, "2.5"),
        (16.84, "16.8"),
        (188.4, "188"),
        (123456.7, "123,457"),
        (-0.5, "-0.5"),
        (1e-7, "1e-07"),
        (1e12, "1,000,000,000,000"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_words_are_counted_in_order() -> None:
    assert tally(["WAIT"] * 1200 + ["PASS", "WAIT"]) == "1,201 WAIT, 1 PASS"


def test_only_very_long_texts_are_cut() -> None:
    assert cut("a" * 600) == "a" * 600
    assert cut("a" * 601) == "a" * 600 + "..."
