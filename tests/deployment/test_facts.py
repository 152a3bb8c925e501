from __future__ import annotations

import threading
import time

import pytest

from ecs_hooks.deployment.errors import FactError
from ecs_hooks.deployment.facts import MAX_BYTES, Facts


def test_a_fact_is_found_out_once_and_kept() -> None:
    facts = Facts()
    found = [facts.get("a", lambda: {"b": [1]}), facts.get("a", lambda: 1 / 0)]

    assert found == [{"b": [1]}] * 2
    assert Facts(facts.dump()).get("a", lambda: 1 / 0) == {"b": [1]}


def test_what_may_change_is_known_in_this_invocation_only() -> None:
    facts = Facts()
    assert facts.get("a", lambda: 1, keep=lambda _: False) == 1
    assert facts.get("a", lambda: 2, keep=lambda _: False) == 1
    assert facts.get("empty", str) == ""

    assert facts.dump() == ""


def test_what_fails_fails_once_for_all_of_an_invocation() -> None:
    asked = []

    def find() -> None:
        asked.append(1)
        message = "throttled"
        raise FactError(message)

    facts = Facts()
    for _ in range(3):
        with pytest.raises(FactError, match="throttled"):
            facts.get("a", find)
    assert len(asked) == 1
    assert Facts(facts.dump()).get("a", lambda: 1) == 1


def test_several_threads_ask_once() -> None:
    asked = []

    def find() -> int:
        time.sleep(0.05)
        asked.append(1)
        return 1

    facts = Facts()
    threads = [threading.Thread(target=lambda: facts.get("a", find)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_question_that_hangs_holds_nobody_up_who_only_keeps_the_facts() -> None:
    facts, asked, over = Facts(), threading.Event(), threading.Event()
    facts.get("a", lambda: 1)

    def hang() -> int:
        asked.set()
        over.wait(10)
        return 2

    thread = threading.Thread(target=lambda: facts.get("b", hang))
    thread.start()
    asked.wait(10)
    kept: list[str] = []
    keeping = threading.Thread(target=lambda: kept.append(facts.dump()))
    keeping.start()
    keeping.join(5)
    over.set()
    thread.join()

    assert kept == ['{"a":1}']


def test_one_fact_may_need_another() -> None:
    facts = Facts()
    assert facts.get("a", lambda: facts.get("b", lambda: 1) + 1) == 2


def test_too_many_facts_are_not_kept() -> None:
    facts = Facts()
    facts.get("a", lambda: "x" * MAX_BYTES)
    assert facts.dump() == ""


@pytest.mark.parametrize("known", ["", "no JSON", "[1]", "[" * 100_000])
def test_what_is_no_object_is_no_fact(known: str) -> None:
    assert Facts(known).get("a", lambda: 1) == 1
