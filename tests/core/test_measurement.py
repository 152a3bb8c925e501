from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_hooks import LifecycleEvent, Stage, stage_hook
from ecs_hooks.checks import Check, CheckContext, HttpCheck, LogsCheck
from ecs_hooks.checks.golden_signals.golden_signals_check import GoldenSignalsCheck
from ecs_hooks.core import clock
from ecs_hooks.core.measurement import Measured, Watch, judge, waiting
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.state import MAX_BYTES, MAX_WATCHED, State, size
from ecs_hooks.plan.model import Plan, PlanError
from tests.conftest import load_event

NOW = 1_800_000_000.0
PASS, FAIL, WAIT = Outcome.passed("good"), Outcome.failed("bad"), Outcome.wait("who knows")
ERROR = Outcome.error("nobody there")


class Scripted(Check):
    """Answers by the minute since the step began, as a word of letters says; the last letter holds on."""

    type: str = "scripted"
    script: str = "p"

    def run(self, context: CheckContext) -> Outcome:
        letter = self.script[min(int(context.elapsed // 60), len(self.script) - 1)]
        return {"p": PASS, "f": FAIL, "w": WAIT, "e": ERROR, "s": Outcome.skip("not here")}[letter]


def play(monkeypatch: pytest.MonkeyPatch, *checks: Check, **policies: Any) -> list[tuple[float, dict[str, Any]]]:
    """Play invocations, each when the answer before it asks for it; return minutes and answers."""
    handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, checks)
    elapsed, details, answers = 0.0, dict(policies), []
    while True:
        monkeypatch.setattr(clock, "now", lambda elapsed=elapsed: NOW + elapsed)
        answer = handler(load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT", hookDetails=details), None)
        answers.append((elapsed / 60, answer))
        if answer["hookStatus"] != "IN_PROGRESS":
            return answers
        details, elapsed = answer["hookDetails"], elapsed + answer["callBackDelay"]


def watched(script: str = "p", **watch: Any) -> Scripted:
    fields = watch if {"count", "for_minutes"} & set(watch) else {"for_minutes": 5, **watch}
    return Scripted(script=script, watch=Watch.model_validate(fields))


def outcome(monkeypatch: pytest.MonkeyPatch, script: str, **watch: Any) -> tuple[str, float, str]:
    """Return the status, the minute and the reason of the last answer."""
    minute, answer = play(monkeypatch, watched(script, **watch))[-1]
    return answer["hookStatus"], minute, answer["reason"].partition("scripted ")[2]


def test_all_pass_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = play(monkeypatch, watched())

    assert [minute for minute, _ in answers] == [0, 1, 2, 3, 4, 5]
    assert answers[1][1]["reason"].endswith(
        "scripted 2 of 2 measurements passed, the last: good; so far; checks again in 60 s (1 waiting)"
    )
    assert answers[-1][1]["reason"].endswith(": 1 passed")


@pytest.mark.parametrize(
    ("script", "watch", "status", "minute"),
    [
        ("ppf", {}, "FAILED", 2),
        ("ppfp", {"failure_limit": 1}, "SUCCEEDED", 5),
        ("pfpf", {"failure_limit": 1}, "FAILED", 3),
        ("pf", {"count": 1}, "SUCCEEDED", 0),
        ("pppf", {"count": 3}, "SUCCEEDED", 2),
        ("fppp", {"failure_limit": 2, "consecutive_successes": 3}, "SUCCEEDED", 3),
        ("pppp", {"consecutive_successes": 2}, "SUCCEEDED", 1),
        ("fffp", {"initial_delay_seconds": 180}, "SUCCEEDED", 8),
        ("pwp", {}, "FAILED", 5),
        ("pwp", {"inconclusive": "pass"}, "SUCCEEDED", 5),
        ("pwp", {"inconclusive_limit": 1}, "SUCCEEDED", 5),
        ("peep", {}, "SUCCEEDED", 5),
        ("peeee", {"error_limit": 2}, "FAILED", 2),
        ("pe", {"error_limit": 9, "for_minutes": 3}, "FAILED", 9),
        ("s", {}, "SUCCEEDED", 0),
        ("pppp", {"interval_seconds": 120}, "SUCCEEDED", 6),
    ],
)
def test_what_measurements_come_to(
    monkeypatch: pytest.MonkeyPatch, script: str, watch: dict[str, Any], status: str, minute: float
) -> None:
    assert outcome(monkeypatch, script, **watch)[:2] == (status, minute)


def test_the_reason_of_a_failure_counts_the_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch, "pfpwf", failure_limit=1, inconclusive_limit=1)[2] == (
        "2 of 5 measurements passed, 1 inconclusive, the last: bad (failure_limit 1) (1 failed)"
    )


def test_each_check_is_asked_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = play(
        monkeypatch,
        watched(interval_seconds=60, for_minutes=4),
        watched(interval_seconds=90, for_minutes=4),
        Scripted(script="wwp"),
    )

    # The third has no watch: it is asked again every 30 s until it passes.
    assert [60 * minute for minute, _ in answers] == [0, 30, 60, 90, 120, 180, 240, 270]


def test_an_invocation_that_comes_early_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, [watched()])
    event = load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    first = handler(event, None)
    monkeypatch.setattr(clock, "now", lambda: NOW + 20)
    again = handler({**event, "hookDetails": first["hookDetails"]}, None)

    assert again["callBackDelay"] == 40
    assert "1 of 1 measurements passed so far" in again["reason"]


def test_errors_in_a_row_are_counted_over_invocations_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    minute, answer = play(monkeypatch, watched("peeee", error_limit=3, for_minutes=10), Scripted(script="w"))[-1]

    # The second check brings the hook back every 30 s; the first is not asked then, and its errors stay.
    assert (answer["hookStatus"], minute) == ("FAILED", 3)
    assert "nobody there, 3 times in a row" in answer["reason"]


def test_a_check_that_is_not_over_in_time_keeps_its_measurements() -> None:
    event = LifecycleEvent.parse(load_event())
    measured = Measured(passed=3, failed=1, streak=2, due=240)
    before = State.load(None, event, NOW).after([("0a1b2c3d", WAIT)], {"0a1b2c3d": measured})
    late = State.load(before.dump(), event, NOW).after([("0a1b2c3d", Outcome.wait("not finished"))])

    assert late.progress["0a1b2c3d"].measured == measured
    assert State.load(late.dump(), event, NOW).progress["0a1b2c3d"].measured == measured


@pytest.mark.slow
def test_fifty_checks_for_a_day_fit_into_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    check = watched(interval_seconds=30, for_minutes=1439, failure_limit=9, inconclusive_limit=9)
    checks = [check.model_copy(update={"name": f"check {number}"}) for number in range(50)]
    answers = play(monkeypatch, *checks, timeout_minutes=1440)

    assert answers[-1][1]["hookStatus"] == "SUCCEEDED"
    assert len(answers) == 2 * 1439 + 1
    assert max(size(answer["hookDetails"]["ecsHooks"]) for _, answer in answers[:-1]) <= MAX_BYTES


@given(
    script=st.text("pfwe", min_size=1, max_size=12),
    failure_limit=st.integers(0, 3),
    inconclusive_limit=st.integers(0, 3),
    minutes=st.integers(1, 10),
)
def test_never_a_pass_with_more_failures_than_may_be(
    script: str, failure_limit: int, inconclusive_limit: int, minutes: int
) -> None:
    failure_limit = min(failure_limit, minutes)  # of so many measurements and one more
    watch = Watch(for_minutes=minutes, failure_limit=failure_limit, inconclusive_limit=inconclusive_limit)
    letters = {"p": PASS, "f": FAIL, "w": WAIT, "e": ERROR}
    measured, seen, result = Measured(), "", WAIT
    for minute in range(60):
        seen += script[min(minute, len(script) - 1)]
        last = letters[seen[-1]]
        measured = measured.after(last, watch, 60 * minute)
        result = judge(watch, measured, last, 60 * minute)
        if result.status in {Status.PASS, Status.FAIL}:
            break

    assert measured.number == len(seen) - seen.count("e")
    assert (result.status is Status.FAIL) == (
        seen.count("f") > failure_limit
        or (minute >= minutes and seen[-1] != "e" and seen.count("w") > inconclusive_limit)
    )
    assert result.status is not Status.PASS or set(seen) - {"e"}
    if result.status is not Status.ERROR:
        assert (result.evidence["failed"], result.evidence["failed_limit"]) == (seen.count("f"), failure_limit)


def test_waiting_says_what_was_measured() -> None:
    watch = Watch(count=3, initial_delay_seconds=90)

    assert waiting(watch, Measured(), 60) == Outcome.wait("0 of 0 measurements passed so far", retry_after=30)
    assert waiting(watch, Measured(), 90) is None


@pytest.mark.parametrize("fields", [{}, {"count": 1, "for_minutes": 1}, {"count": 0}, {"for_minutes": 1441}])
def test_a_watch_has_one_end(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Watch.model_validate(fields)


def test_a_plan_must_not_end_before_its_watches() -> None:
    plan = {"timeout_minutes": 5, "checks": [{"type": "http", "watch": {"count": 11, "interval_seconds": 30}}]}

    with pytest.raises(PlanError, match="must be greater than 5, the minutes for which http watches, not 5"):
        Plan.parse(plan)
    assert Plan.parse({**plan, "timeout_minutes": 6}).checks[0].watch == Watch(count=11, interval_seconds=30)


def test_a_plan_must_not_watch_more_than_fits_into_the_state() -> None:
    checks = [{"type": "http", "name": str(number), "watch": {"count": 2}} for number in range(MAX_WATCHED + 1)]

    with pytest.raises(PlanError, match="must have at most 80 checks with a watch, not 81"):
        Plan.parse({"checks": checks})


@pytest.mark.parametrize(
    ("check", "fields", "message"),
    [
        (LogsCheck, {"pattern": "x"}, "has its own time window"),
        (GoldenSignalsCheck, {}, "has its own time window"),
        (HttpCheck, {"until": {"timeout_seconds": 60}}, "has both until and watch"),
    ],
)
def test_what_watches_by_itself_is_not_watched_twice(check: type[Check], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check.model_validate({**fields, "watch": {"count": 2}})


@given(
    deliveries=st.lists(st.sampled_from(["once", "twice", "lost", "late"]), max_size=30),
    bad=st.none() | st.integers(0, 12),
    seconds=st.integers(30, 90),
)
def test_the_verdict_does_not_depend_on_how_invocations_arrive(
    deliveries: list[str], bad: int | None, seconds: int
) -> None:
    # Bad for good from some minute on, or never: there is one right answer, however ECS delivers.
    script = "p" * 30 if bad is None else "p" * bad + "f" * 30
    check = watched(script, for_minutes=12, interval_seconds=seconds, failure_limit=2)
    handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, [check])
    event = load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT")
    pending, elapsed, details, status = list(deliveries), 0.0, None, "IN_PROGRESS"
    before: object = None
    while status == "IN_PROGRESS":
        with clock.use(partial(float, NOW + elapsed)):
            answer = handler({**event, "hookDetails": details}, None)
            delivery = pending.pop() if pending else "once"
            if delivery == "twice":
                handler({**event, "hookDetails": details}, None)
            if delivery == "late":  # that of before comes again, with its old details
                handler({**event, "hookDetails": before}, None)
        status, elapsed = answer["hookStatus"], elapsed + answer.get("callBackDelay", 0)
        if delivery == "lost":  # ECS invokes anew with what it had
            status = "IN_PROGRESS" if answer["hookStatus"] == "IN_PROGRESS" else status
        else:
            before, details = details, answer.get("hookDetails")

    # The last three measurements of the twelve minutes may be the first bad ones, or lost.
    last_chance = 12 - 3 * seconds / 60 - deliveries.count("lost") * seconds / 60
    if bad is None:
        assert status == "SUCCEEDED"
    elif bad < last_chance:
        assert status == "FAILED"


# A minimum of measurements


@pytest.mark.parametrize(
    ("fields", "seconds", "most", "least"),
    [
        ({"for_minutes": 15}, 0, 16, 8),
        ({"for_minutes": 5}, 0, 6, 3),
        ({"for_minutes": 5, "interval_seconds": 120}, 0, 4, 2),
        ({"for_minutes": 0.5}, 0, 2, 1),
        ({"for_minutes": 1, "interval_seconds": 10}, 0, 7, 4),
        ({"for_minutes": 15, "interval_seconds": 1}, 70, 14, 7),  # each invocation takes 70 s
        ({"for_minutes": 15, "min_measurements": 16}, 70, 14, 16),
        ({"count": 10}, 0, 10, 1),
    ],
)
def test_half_of_the_possible_measurements_is_required(
    fields: dict[str, Any], seconds: float, most: int, least: int
) -> None:
    watch = Watch.model_validate(fields)

    assert (watch.most_measurements(seconds), watch.least_measurements(seconds)) == (most, least)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"count": 3, "failure_limit": 3},
            "failure_limit: must be at most 2, not 3, because count is 3: more can never fail",
        ),
        (
            {"for_minutes": 5, "failure_limit": 6},
            "failure_limit: must be at most 5, not 6, because for_minutes 5 and interval_seconds 60 allow 6",
        ),
        (
            {"for_minutes": 5, "min_measurements": 7},
            "min_measurements: must be at most 6, not 7, because for_minutes 5 and interval_seconds 60 allow 6",
        ),
        ({"count": 5, "min_measurements": 2}, "min_measurements: has no effect with count; remove it"),
    ],
)
def test_a_watch_that_can_never_fail_or_pass_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError, match=rf"^hookDetails.checks\[0\]\.watch: {problem}"):
        Plan.parse({"timeout_minutes": 60, "checks": [{"type": "http", "watch": fields}]})


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 1},
        {"count": 3, "failure_limit": 2, "inconclusive_limit": 9999, "consecutive_successes": 9},
        {"for_minutes": 5, "failure_limit": 5, "min_measurements": 6},
        {"for_minutes": 1, "interval_seconds": 3600, "failure_limit": 1},
    ],
)
def test_a_watch_that_can_pass_and_fail_is_accepted(fields: dict[str, Any]) -> None:
    assert Watch.model_validate(fields)


def sparse(*, seconds: float, **fields: Any) -> tuple[str, float, str]:
    """Play a watch whose invocations are late by so many seconds; return the status, minute and reason at its end."""
    policies = {"timeout_minutes": fields.pop("timeout_minutes", 30)}
    handler = stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT, [watched(**fields)])
    elapsed, details = 0.0, dict(policies)
    with clock.use(lambda: NOW + elapsed, is_exact=True):
        while True:
            event = load_event(lifecycleStage="POST_PRODUCTION_TRAFFIC_SHIFT", hookDetails=details)
            answer = handler(event, None)
            if answer["hookStatus"] != "IN_PROGRESS":
                return answer["hookStatus"], elapsed / 60, answer["reason"].partition("scripted ")[2]
            details = answer["hookDetails"]
            elapsed += answer["callBackDelay"] + seconds


def test_a_watch_with_too_few_measurements_goes_on() -> None:
    # At minutes 0 and 5.5 it has two of three; the third is at 11.
    assert sparse(seconds=270)[:2] == ("SUCCEEDED", 11)
    assert sparse(seconds=270, min_measurements=2)[:2] == ("SUCCEEDED", 5.5)
    assert sparse(seconds=270, consecutive_successes=2)[:2] == ("SUCCEEDED", 5.5)
    assert sparse(seconds=0, consecutive_successes=2, min_measurements=4)[:2] == ("SUCCEEDED", 3)


def test_without_time_for_more_measurements_it_is_inconclusive() -> None:
    status, minute, reason = sparse(seconds=270, timeout_minutes=6)
    assert (status, minute) == ("FAILED", 5.5)
    assert reason.startswith("2 of 2 measurements passed, the last: good (2 of 3 min_measurements)")
    passes = sparse(seconds=270, timeout_minutes=6, inconclusive="pass")
    assert passes[:2] == ("SUCCEEDED", 5.5)


def test_inconclusive_measurements_are_not_among_the_least() -> None:
    undecided = Outcome.wait("who knows")
    watch = Watch(for_minutes=5, inconclusive_limit=9)
    measured = Measured(passed=1, inconclusive=6, due=420)

    going_on = judge(watch, measured, undecided, 360)
    assert going_on.status is Status.WAIT
    assert going_on.reason == (
        "1 of 7 measurements passed, 6 inconclusive, the last: who knows; 1 of 3 min_measurements so far"
    )
    assert judge(watch, measured, undecided, 360, ends=400).status is Status.FAIL
    assert judge(Watch(count=3, inconclusive_limit=3), Measured(inconclusive=3), undecided, 0).status is Status.FAIL


def test_a_check_beside_a_load_needs_no_more_measurements_than_it_gets() -> None:
    """The load takes 60 s of each invocation, so a measurement each 10 s is impossible."""
    load = {"type": "load", "name": "l", "duration_seconds": 60, "watch": {"count": 6}}
    probe = {"type": "http", "watch": {"for_minutes": 6, "interval_seconds": 10}}
    checks = Plan.parse({"checks": [load, probe]}).checks
    longest = max(each.requirements().seconds for each in checks)

    assert checks[1].watch is not None
    assert checks[1].watch.least_measurements() == 19
    assert checks[1].watch.least_measurements(longest) == 3
