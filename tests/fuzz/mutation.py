"""JSON values with parts replaced, removed, renamed or doubled, and the seeds of the runs."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Sequence
from typing import Any

SEED_VARIABLE = "FUZZ_SEED"
"""Environment variable with a number that gives other inputs than the usual ones."""

SCRAPS: list[Any] = [
    None, True, False, 0, -1, 1, 100, 0.1, 200.0, -0.0, 1e308, float("nan"), float("inf"), 10**400, 10**5000, "", " ", "100",
    "x" * 5000, "\ud800", "\x00", "é", "\u202e", "{{", "{{a}}", "{a}", "$", "$..*", "(", "a{1000}{1000}", [], {}, [[]], {"": {}},
    {"a": [1, {"b": None}]}, "[" * 3000, '{"checks": []}', "http://[", "http://127.0.0.1:9/", "//169.254.169.254/", "GET", "2xx",
    {"ssm": "/a"}, {"secret": "a"}, {"not": {"not": {"equals": 1}}}, ["a", 1, None], {"above": 1}, {"matches": "("},
]  # fmt: skip

NAMES = ("", "type", "name", "checks", "a", "x-note", "$schema", "\ud800", "\x00", "{{a}}", "é", "a" * 300)
"""Keys that are added to objects."""

_DEEPEST = 20


def seeded(*parts: object) -> random.Random:
    """Return the random numbers of a run; the same for the same parts and the same `FUZZ_SEED`."""
    return random.Random("/".join(map(str, (os.environ.get(SEED_VARIABLE, "0"), *parts))))


def nested(depth: int) -> Any:
    """Return arrays inside arrays."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def mutated(value: Any, chance: random.Random, scraps: Sequence[Any] = SCRAPS) -> Any:
    """Return a JSON value with one to three of its parts changed."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(places(value))
        scrap = nested(chance.choice((5, 100, 300))) if chance.random() < 0.01 else copy.deepcopy(chance.choice(scraps))
        if not path:
            if chance.random() < 0.02:
                return scrap
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        match chance.randrange(5):
            case 0:
                del holder[path[-1]]
            case 1 if isinstance(holder, dict):
                holder[f"{path[-1]}x"] = holder.pop(path[-1])
            case 2 if isinstance(holder, dict):
                holder[chance.choice(NAMES)] = scrap
            case 3 if isinstance(holder, list):
                holder.insert(path[-1], copy.deepcopy(chance.choice(holder)))
            case _:
                holder[path[-1]] = scrap
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    if len(path) > _DEEPEST:
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]
