"""5xx and no response of green where blue has none: the test of the two shares, its looks, and the fixed limit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from benchmarks.compare_noise import Answer
from ecs_hooks.checks import CompareCheck
from ecs_hooks.checks.compare import sampling
from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Round
from ecs_hooks.checks.compare.evaluate import FALSE_ALARM_RATE
from ecs_hooks.checks.compare.failures import Failures, failures, share_of_look
from ecs_hooks.core.outcome import Status
from tests.checks.asking import context
from tests.checks.compare.test_shapes import Draw, compared
from tests.http.fixtures import Serve
from tests.http.servers import Peer

OK, BAD = ComparableResponse(status=200), ComparableResponse(status=500)
GROUPS = 4
ENOUGH = 640
"""Rounds for which there is time in a minute."""


def draw_rounds(chance: random.Random, green: float, blue: float, number: int) -> list[Round]:
    def one(share: float) -> ComparableResponse:
        return BAD if chance.random() < share else OK

    return [Round(one(green), (one(blue), one(blue))) for _ in range(number)]


def decided(chance: random.Random, green: float, blue: float, samples: int = 40) -> bool:
    """Return whether the looks at random rounds prove that green fails more often."""
    rounds: list[Round] = []
    for look in range(1, 10):
        wanted = min(samples << (look - 1), ENOUGH)
        rounds += draw_rounds(chance, green, blue, wanted - len(rounds))
        found = failures(rounds, share_of_look(look, FALSE_ALARM_RATE / GROUPS))
        if found.proved or not found.suspected or len(rounds) == ENOUGH:
            return found.proved
    raise AssertionError


def test_a_tenth_of_500s_is_found_in_at_least_95_of_100_checks() -> None:
    chance = random.Random(14)
    assert sum(decided(chance, 0.1, 0) for _ in range(300)) >= 285


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_equal_shares_are_no_difference(share: float) -> None:
    chance = random.Random(14)
    assert not any(decided(chance, share, share) for _ in range(300))


def test_the_looks_share_one_error_budget() -> None:
    assert share_of_look(1, 0.5) == 0.25
    assert sum(share_of_look(look, FALSE_ALARM_RATE) for look in range(1, 60)) <= FALSE_ALARM_RATE


def test_equal_revisions_fail_within_the_error_budget() -> None:
    """With a rate of a tenth, at most a tenth of all sequences of looks may be a false alarm."""
    chance = random.Random(14)
    alarms = 0
    for _ in range(400):
        rounds: list[Round] = []
        for look in range(1, 6):
            rounds += draw_rounds(chance, 0.2, 0.2, (20 << (look - 1)) - len(rounds))
            if failures(rounds, share_of_look(look, 0.1)).proved:
                alarms += 1
                break
    assert alarms <= 40


def test_without_rounds_nothing_fails() -> None:
    found = failures([], 0.5)
    assert (found.percent, found.suspected, found.proved, found.exceed(0)) == (0, False, False, False)
    assert Failures(1, 10, 0, 20, ()).exceed(5)
    assert not Failures(1, 10, 0, 20, ()).exceed(None)


def sometimes(share: float, status: int = 500) -> Draw:
    """Return answers of which a share has another status."""
    return lambda chance: Answer("{}", status=status) if chance.random() < share else {"ok": True}


def always(status: int = 200) -> Draw:
    return lambda _: Answer('{"ok": true}', status=status)


def test_rare_failures_bring_more_rounds_until_they_are_proved() -> None:
    outcome = compared(always(), sometimes(0.1), samples=40)
    assert outcome.status is Status.FAIL, outcome
    assert outcome.reason.startswith("GET /: green fails in ")
    assert "rounds (status 500), blue in 0 of " in outcome.reason
    assert float(str(outcome.evidence["rounds"])) > 40


def first_only(statuses: Sequence[int]) -> Draw:
    left = list(statuses)
    return lambda _: Answer('{"ok": true}', status=left.pop(0) if left else 200)


def test_a_failure_is_in_the_reason_of_a_pass() -> None:
    outcome = compared(always(), first_only([200, 200, 503]), samples=15, budget_seconds=1)
    assert outcome.status is Status.PASS, outcome
    assert outcome.reason.startswith("GET /: green fails in 1 of ")
    assert (
        "too few to prove a difference (max_failed_percent sets a fixed limit); GET /: no difference in 15 rounds and "
        in (outcome.reason)
    )
    assert outcome.evidence["green_failed"] == 1
    assert outcome.evidence["blue_failed"] == 0


def test_a_failure_is_in_the_reason_of_another_difference() -> None:
    green = first_only([503, *[203] * 1000])
    outcome = compared(always(), green, samples=15, budget_seconds=1)
    assert outcome.status is Status.FAIL
    assert "status differs in" in outcome.reason
    assert "green fails in 1 of 15 rounds (status 503)" in outcome.reason


def test_a_fixed_limit_fails_at_once() -> None:
    outcome = compared(always(), first_only([200, 503, 500]), samples=15, max_failed_percent=0)
    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "GET /: green fails in 2 of 15 rounds (status 503 in 1, status 500 in 1), blue in 0 of 30 requests, which is more "
        "than max_failed_percent 0 allows"
    )
    assert (
        compared(always(), first_only([503]), samples=15, max_failed_percent=50, budget_seconds=0.5).status
        is Status.PASS
    )


def test_a_failure_of_blue_that_leaves_too_few_rounds_brings_some_more() -> None:
    outcome = compared(first_only([503]), always(), samples=15)
    assert outcome.status is Status.PASS, outcome
    assert outcome.evidence["rounds"] == 17
    assert "no difference in 15 rounds and 2 further rounds" in outcome.reason


def test_occasional_failures_of_both_are_no_difference() -> None:
    outcome = compared(sometimes(0.1, 502), sometimes(0.1, 502), samples=40, budget_seconds=2)
    assert outcome.status is Status.PASS, outcome


def test_rare_differences_in_the_content_bring_more_rounds() -> None:
    outcome = compared(always(), lambda c: {"ok": c.random() > 0.25}, samples=40)
    assert outcome.status is Status.FAIL, outcome
    assert "$.ok differs in" in outcome.reason
    assert float(str(outcome.evidence["rounds"])) > 40


def test_too_large_bodies_end_the_further_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_MAX_BYTES", 45 * 12 + 200)
    outcome = compared(always(), first_only([200, 503]), samples=15)
    assert outcome.status is Status.PASS, outcome
    assert float(str(outcome.evidence["rounds"])) < 30


def test_further_rounds_end_at_a_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_ROUNDS", 40)
    outcome = compared(always(), first_only([200, 503]), samples=15)
    assert outcome.evidence["rounds"] == 40


def test_a_green_that_closes_connections_without_a_response_fails(serve: Serve) -> None:
    """Another attempt would hide it: after the first response, each request is sent once."""
    turns = count(1)

    def closing(peer: Peer) -> None:
        peer.request()
        if next(turns) % 4:
            peer.answer(b"{}", "Connection: close")

    def sound(peer: Peer) -> None:
        peer.request()
        peer.answer(b"{}", "Connection: close")

    green, blue = serve(closing), serve(sound)
    given = {"blue_url": blue.url, "samples": 40, "interval_seconds": 0, "budget_seconds": 20}
    outcome = CompareCheck.model_validate(given).run(context(green.url, seconds=600))
    assert outcome.status is Status.FAIL, outcome
    assert "connection ended before a response" in outcome.reason


def test_without_time_for_further_rounds_the_first_ones_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling.Sampler, "_extend", _only_first(sampling.Sampler._extend))
    outcome = compared(always(), first_only([200, 503]), samples=16)
    assert outcome.status is Status.PASS
    assert outcome.evidence["rounds"] == 16


def _only_first(extend: Any) -> Any:
    def extended(sampler: Any, count: int, pause: float) -> bool:
        return bool(extend(sampler, 0 if sampler._rounds else count, pause))

    return extended
