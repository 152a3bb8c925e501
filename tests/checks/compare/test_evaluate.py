"""Differences and noise in random values, without HTTP."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.compare.evaluate import FALSE_ALARM_RATE, Difference, Thresholds, differences
from ecs_hooks.checks.compare.json_diff import ABSENT, Document, Value, path_segment, values_by_path
from tests.checks.compare.test_json_diff import JSON

DIFFY = Thresholds(20, 0.03)
ROUNDS = 30

Draw = Callable[[random.Random, int], Any]
"""Returns a document, from a random generator and the number of the request."""


def compared(
    blue: Draw, green: Draw | None = None, *, seed: int = 0, rounds: int = ROUNDS, thresholds: Thresholds = DIFFY
) -> list[Difference]:
    """Draw the documents of rounds, and return the differences."""
    chance = random.Random(seed)
    places = [number % 3 for number in range(rounds)]
    chance.shuffle(places)
    sides: tuple[list[Document], list[Document]] = ([], [])
    for number in range(3 * rounds):
        is_green = number % 3 == places[number // 3]
        draw = green if is_green and green else blue
        sides[is_green].append(Document((copy.deepcopy(draw(chance, number)),), str))
    numbers = [number for number in range(rounds) for _ in range(2)]
    return differences(values_by_path(*sides), numbers, thresholds)


def paths(found: Sequence[Difference]) -> list[str]:
    return [each.path for each in found]


def at(**fields: Any) -> Draw:
    """Return documents with these fields; functions are called for each document."""

    def draw(chance: random.Random, number: int) -> Any:
        return {name: each(chance, number) if callable(each) else each for name, each in fields.items()}

    return draw


NOISE: dict[str, Draw] = {
    "unique": lambda chance, _: chance.random(),
    "id": lambda chance, _: f"{chance.getrandbits(64):x}",
    "clock": lambda _, number: number * 10,
    "slow clock": lambda _, number: number // 25,
    "counts down": lambda _, number: 1000 - number,
    "coin": lambda chance, _: chance.random() < 0.5,
    "rare": lambda chance, _: "odd" if chance.random() < 0.05 else "usual",
    "third": lambda chance, _: chance.choice("xyz"),
    "pool": lambda chance, _: chance.randrange(40),
    "bell": lambda chance, _: chance.gauss(100, 5),
    "tail": lambda chance, _: chance.paretovariate(1),
    "null": lambda chance, _: None if chance.random() < 0.3 else 1,
    "type": lambda chance, _: chance.choice([1, "1", None, [1], {"a": 1}]),
    "order": lambda chance, _: chance.sample([1, 2, 3, 4], 4),
    "some": lambda chance, _: [chance.choice("ab") for _ in range(chance.randrange(5))],
    "objects": lambda chance, _: chance.sample(
        [{"id": n, "at": chance.random()} for n in range(5)], chance.randint(3, 5)
    ),
    "keys": lambda chance, _: {f"k{chance.getrandbits(32)}": {"n": 1} for _ in range(chance.randint(0, 3))},
    "nested": lambda chance, _: {"a": {"b": chance.random()}} if chance.random() < 0.3 else {},
}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("rounds", [15, 30])
def test_noise_is_no_difference(noise: str, rounds: int) -> None:
    assert [found for seed in range(40) if (found := compared(at(value=NOISE[noise]), seed=seed, rounds=rounds))] == []


def test_the_false_alarm_rate_holds() -> None:
    draw = at(**{name.replace(" ", "_"): each for name, each in NOISE.items()})
    chance = random.Random(1)
    alarms = 0
    for _ in range(40):
        sides = [[Document((draw(chance, number),), str) for number in range(size)] for size in (60, 30)]
        alarms += bool(
            differences(
                values_by_path(sides[0], sides[1]), [number // 2 for number in range(60)], DIFFY, false_alarm_rate=0.5
            )
        )
    assert alarms <= 20
    assert FALSE_ALARM_RATE * 1000 <= 0.1


REGRESSIONS: dict[str, tuple[Any, Any, str]] = {
    "another constant": ("a", "b", "$.value"),
    "another type": (1, "1", "$.value"),
    "null": (1, None, "$.value"),
    "number for an id": (NOISE["id"], 17, "$.value"),
    "null for an id": (NOISE["id"], None, "$.value"),
    "uuid for an id": (NOISE["id"], lambda c, _: str(uuid.UUID(int=c.getrandbits(128))), "$.value"),
    "never seen": (NOISE["third"], "w", "$.value"),
    "usual instead of rare": (NOISE["rare"], "odd", "$.value"),
    "always null": (NOISE["null"], None, "$.value"),
    "far away": (NOISE["bell"], lambda chance, _: chance.gauss(300, 5), "$.value"),
    "fraction": (NOISE["pool"], lambda chance, _: chance.random() * 40, "$.value"),
    "longer": (NOISE["id"], lambda chance, _: f"{chance.getrandbits(300):x}", "$.value"),
    "one of a list that is mixed": (NOISE["order"], lambda chance, _: chance.sample([1, 2, 3, 5], 4), "$.value[*]"),
    "shorter": ([1, 2, 3], [1, 2], "$.value"),
    "in order": ([1, 2, 3], [3, 2, 1], "$.value[*]"),
    "one of two that are the same": (
        lambda chance, _: chance.sample([1, 1, 2, 3], 4),
        lambda chance, _: chance.sample([1, 2, 2, 3], 4),
        "$.value[*]",
    ),
    "an item lost where some come and go": (
        NOISE["objects"],
        lambda chance, number: [{"at": each["at"]} for each in NOISE["objects"](chance, number)],
        "$.value[*].id",
    ),
    "in objects with keys": (
        NOISE["keys"],
        lambda chance, number: {key: {"n": "1"} for key in NOISE["keys"](chance, number)},
        "$.value.*.n",
    ),
}


@pytest.mark.parametrize("regression", REGRESSIONS)
def test_a_difference_is_found_at_its_path(regression: str) -> None:
    blue, green, path = REGRESSIONS[regression]
    for seed in range(10):
        found = compared(at(value=blue, other=NOISE["unique"]), at(value=green, other=NOISE["unique"]), seed=seed)
        assert path in paths(found)
        assert "$.other" not in paths(found)


def test_a_difference_in_rare_objects_needs_more_rounds() -> None:
    def seldom(inner: Any) -> Draw:
        return lambda chance, _: {"notice": inner} if chance.random() < 0.3 else {}

    found = compared(seldom({"code": 7}), seldom({}), rounds=100)
    assert paths(found) == ["$.notice.code"]
    assert found[0].of < 60
    assert found[0].rounds == found[0].of


def test_a_difference_has_the_numbers_of_rounds() -> None:
    def flickers(chance: random.Random, _: int) -> Any:
        return {"a": 2 if chance.random() < 0.5 else 1}

    (found,) = compared(at(a=1), flickers)
    assert 10 < found.rounds < 20
    assert (found.of, found.noise) == (30, 0)
    (found,) = compared(at(a=NOISE["rare"]), at(a="odd"))
    assert 0 < found.noise < 10


def test_values_of_an_unordered_array_are_shown_in_pairs() -> None:
    def prices(less: float) -> Draw:
        return lambda chance, _: chance.sample([12.5 - less, 2.5 - less, 113.5 - less], 3)

    for seed in range(10):
        (found,) = compared(prices(0), prices(0.25), seed=seed)
        assert (found.before, found.after) == (Value("number", 2.5), Value("number", 2.25))


def test_the_smallest_value_that_differs_is_shown() -> None:
    (found,) = compared(at(a=[5, 6, 7]), at(a=[5, 8, 7]))
    assert (found.before, found.after) == (Value("number", 6), Value("number", 8))
    (found,) = compared(at(a=[5, 6]), at(a=[6, 5]))
    assert (found.before, found.after) == (None, None)
    (found,) = compared(at(a=[5, 6, "x"]), at(a=[5, 8, 7]))
    assert (found.before, found.after) == (Value("number", 6), Value("number", 7))
    (found,) = compared(at(a=[{}, {"b": 1}]), at(a=[{}, {}]))
    assert (found.before, found.after) == (Value("number", 1), ABSENT)


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        (Thresholds(20, 0.03), True),
        (Thresholds(99, 0.03), True),
        (Thresholds(100, 0.03), False),
        (Thresholds(20, 99), True),
        (Thresholds(20, 100), False),
    ],
)
def test_both_thresholds_must_be_exceeded(thresholds: Thresholds, expected: bool) -> None:
    assert thresholds.exceeded(100, 0.2) is (expected and thresholds.absolute_percent < 99.8)
    assert thresholds.exceeded(0.02, 0) is False
    assert thresholds.exceeded(50, 50) is False
    assert thresholds.exceeded(0, 0) is False
    assert thresholds.exceeded(100, 70) is False


def test_a_difference_within_the_thresholds_is_none() -> None:
    assert compared(at(a=1), at(a=2), thresholds=Thresholds(20, 100)) == []


@settings(max_examples=60)
@given(JSON)
def test_no_document_differs_from_itself(document: Any) -> None:
    assert compared(lambda *_: document, rounds=15) == []


@settings(max_examples=60)
@given(st.lists(JSON, min_size=2, max_size=4), st.integers())
def test_random_documents_of_both_do_not_differ(documents: list[Any], seed: int) -> None:
    assert compared(lambda chance, _: chance.choice(documents), seed=seed, rounds=15) == []


@settings(max_examples=100)
@given(JSON, st.data())
def test_any_changed_value_is_found_at_its_path(document: Any, data: st.DataObject) -> None:
    roots = [document]
    changed = copy.deepcopy(roots)
    holder, key, path = data.draw(st.sampled_from([(changed, 0, "$"), *_places(changed[0], "$")]))
    holder[key] = "changed"  # longer than any text that is drawn

    assert path in paths(compared(lambda *_: roots[0], lambda *_: changed[0], rounds=15))


def _places(value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in steps:
        below = f"{path}{path_segment(key)}" if isinstance(value, dict) else f"{path}[*]"
        yield value, key, below
        yield from _places(inner, below)
