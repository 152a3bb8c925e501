from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import given, strategies
from pydantic import FiniteFloat, TypeAdapter

from ecs_hooks.aws.errors import FactError
from ecs_hooks.deployment.facts import MAX_BYTES, Facts
from ecs_hooks.deployment.listener import Address
from ecs_hooks.deployment.logs import LogConfiguration
from ecs_hooks.deployment.revision import LoadBalancing, ServiceRevision


class Found(NamedTuple):
    names: tuple[str, ...]
    counts: Mapping[str, tuple[int, float]]
    inner: list[LogConfiguration]
    nothing: str | None = None


FOUND = Found(("a",), {"b": (1, 0.5)}, [LogConfiguration("web", "/ecs/web", "ecs", "us-west-2")])


def never() -> Any:
    pytest.fail("fetched again")


@contextmanager
def hanging(facts: Facts, name: str) -> Iterator[None]:
    """Fetch a fact, 2, in a thread that hangs until the block ends."""
    started, over = threading.Event(), threading.Event()

    def hang() -> int:
        started.set()
        over.wait(10)
        return 2

    asking = threading.Thread(target=lambda: facts.get(name, hang))
    asking.start()
    assert started.wait(10)
    try:
        yield
    finally:
        over.set()
        asking.join()


def test_a_fact_is_fetched_once_and_kept() -> None:
    facts = Facts()
    found = [facts.get("a", lambda: FOUND, kind=Found), facts.get("a", never, kind=Found)]

    assert found == [FOUND] * 2
    later = Facts(facts.dump())
    assert later.get("a", never, kind=Found) == FOUND
    assert Facts(later.dump()).get("a", never, kind=Found) == FOUND


def test_a_fact_that_may_change_is_known_in_this_invocation_only() -> None:
    facts = Facts()
    assert [facts.get("a", lambda: 1), facts.get("a", lambda: 2)] == [1, 1]
    assert facts.get("not yet", lambda: 1, kind=int, keep=lambda _: False) == 1
    assert facts.get("empty", str, kind=str) == ""

    assert facts.dump() == ""


def test_an_error_is_kept_for_the_invocation() -> None:
    calls = []

    def find() -> None:
        calls.append(1)
        raise FactError("throttled")

    facts = Facts()
    for _ in range(3):
        with pytest.raises(FactError, match="throttled"):
            facts.get("a", find)
    assert len(calls) == 1
    assert Facts(facts.dump()).get("a", lambda: 1) == 1


def test_several_threads_fetch_a_fact_once() -> None:
    calls = []

    def find() -> int:
        time.sleep(0.05)
        calls.append(1)
        return 1

    facts = Facts()
    threads = [threading.Thread(target=lambda: facts.get("a", find)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_a_call_that_hangs_does_not_delay_the_dump() -> None:
    facts, kept = Facts(), list[str]()
    facts.get("a", lambda: 1, kind=int)

    with hanging(facts, "b"):
        keeping = threading.Thread(target=lambda: kept.append(facts.dump()))
        keeping.start()
        keeping.join(5)

    assert [each.partition(" ")[2] for each in kept] == ['{"a":1}']


def test_one_fact_may_need_another() -> None:
    facts = Facts()
    assert facts.get("a", lambda: facts.get("b", lambda: 1) + 1) == 2


def test_too_many_facts_are_not_kept() -> None:
    facts = Facts()
    facts.get("a", lambda: "x" * MAX_BYTES, kind=str)
    assert facts.dump() == ""


def signed(text: str) -> str:
    """Return a text with the digest that facts have."""
    return f"{hashlib.sha256(text.encode()).hexdigest()[:8]} {text}"


def dumped(value: Any) -> str:
    """Return a value as facts are dumped, whatever it is."""
    facts = Facts()
    facts.get("a", lambda: value, kind=object, keep=lambda _: True)
    return facts.dump()


@pytest.mark.parametrize(
    "known",
    [
        "",
        "no JSON",
        "[1]",
        "[" * 100_000,
        signed("["),
        signed("[" * 4000),
        dumped(1).partition(" ")[2],
        "\ud800 \ud800",
    ],
)
def test_a_state_that_is_not_an_object_has_no_facts(known: str) -> None:
    assert Facts(known).get("a", lambda: 2, kind=int) == 2


@given(strategies.data())
def test_edited_facts_are_fetched_again(data: strategies.DataObject) -> None:
    text = dumped(5)
    place = data.draw(strategies.integers(0, len(text) - 1))
    other = data.draw(strategies.text(max_size=3).filter(lambda drawn: drawn != text[place]))

    assert Facts(text[:place] + other + text[place + 1 :]).get("a", lambda: 6, kind=int) == 6


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=5) | strategies.dictionaries(strategies.text(), inner, max_size=5),
    max_leaves=8,
)
KINDS: dict[Any, Any] = {
    str: "source",
    FiniteFloat: 5.0,
    Address: Address("HTTP", 80, "lb"),
    list[LogConfiguration]: FOUND.inner,
    ServiceRevision: ServiceRevision("arn", "td", (LoadBalancing("tg", "p", "t", "web", 80, ["tg"]),), {}, None),
}


@pytest.mark.parametrize(("kind", "right"), KINDS.items(), ids=str)
@given(garbage=JSON)
def test_a_fact_of_another_type_is_fetched_again(kind: Any, right: Any, garbage: Any) -> None:
    # With a valid checksum: another version of this library may have written it.
    got = Facts(dumped(garbage)).get("a", lambda: right, kind=kind)

    assert type(got) is type(right)
    assert got == TypeAdapter(kind).validate_python(got)
