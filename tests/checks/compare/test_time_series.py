from __future__ import annotations

import random

import pytest

from ecs_hooks.checks.compare.json_diff import Value, value_of
from ecs_hooks.checks.compare.keys import is_local, map_keys
from ecs_hooks.checks.compare.time_series import is_slow, repeats


def series(*values: object) -> list[tuple[Value, ...]]:
    return [(value_of(value),) for value in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3] * 10 + [4] * 20, True),
        ([1, 2, 3, 4, 5, 4, 3, 4, 5, 6, 7, 8], True),
        (["3 h", "4 h"] * 2 + ["5 h"] * 20, True),
        ([3, 4] * 15, False),
        ([3] * 30, False),
        ([3] * 5 + [4] * 4, False),
        ([3] * 15 + [None] * 15, False),
        ([3] * 15 + ["x"] * 15, False),
        ([1] * 15 + [10**400] * 15, False),
        ([0.0] * 15 + [5e-324] * 15, False),
    ],
)
def test_numbers_are_slow_if_they_follow_each_other(values: list[object], expected: bool) -> None:
    assert is_slow(series(*values)) is expected


def test_independent_numbers_are_seldom_slow() -> None:
    chance = random.Random(1)
    assert sum(is_slow(series(*(chance.gauss(0, 1) for _ in range(40)))) for _ in range(1000)) < 5


def test_responses_without_values_are_not_slow() -> None:
    assert not is_slow([()] * 20)


def test_a_constant_green_repeats_beside_a_blue_that_varies() -> None:
    rounds = [0, 0, 1, 1]
    assert repeats(series("a", "b", "a", "a"), rounds, series("x", "x")) == ((False, True), (True,))
    assert repeats(series("a", "b", "a", "a"), rounds, series("x", "y")) is None
    assert repeats(series(1, 2, 1, 2), rounds, series(3, 3)) is None
    assert repeats(series(1, 2, 3, 4), rounds, series(3, 3)) == ((False, False), (True,))


@pytest.mark.parametrize(
    ("name", "parent", "kinds", "expected"),
    [
        ("queue_depth", "", {"number"}, True),
        ("activeConnections", "", {"number"}, True),
        ("depth", "queue", {"number"}, True),
        ("anything", "pool", {"number"}, True),
        ("uptime", "", {"string"}, True),
        ("depth", "box", {"number"}, False),
        ("queue_depth", "", {"string"}, False),
        ("uptime", "", {"object"}, False),
        ("total", "", {"number"}, False),
        ("price", "items", {"number"}, False),
    ],
)
def test_values_of_one_process_are_known_by_their_names(
    name: str, parent: str, kinds: set[str], expected: bool
) -> None:
    assert is_local(name, parent, kinds) is expected


def test_keys_are_ids_families_and_names_that_are_seldom() -> None:
    def keys(blue: list[str], green: list[str]) -> frozenset[str]:
        return map_keys([[dict.fromkeys(names)] for names in (blue, blue, blue, green, green, green)], 3)

    assert keys(["name", "user_1042"], ["name", "user_2077"]) == {"user_1042", "user_2077"}
    assert keys(["name", "2024"], ["name", "2024"]) == frozenset()
    workers = [f"worker-{end}" for end in ("aa", "bb", "cc")], [f"worker-{end}" for end in ("dd", "ee", "ff")]
    assert keys(*workers) == {*workers[0], *workers[1]}
    assert keys(["email"], ["mail"]) == frozenset()
