from __future__ import annotations

from typing import Any

from ecs_hooks import Stage
from ecs_hooks.checks import Check
from ecs_hooks.core.measurement import Watch
from ecs_hooks.core.outcome import Outcome
from ecs_hooks_cli.report.answers import History, histories_of, hooks_of
from ecs_hooks_cli.report.swimlanes import NO_ANSWER
from ecs_hooks_simulator import Strategy
from tests.cli.report.recorded import Wave, checked, recorded
from tests.simulator.plays import FAILED, IN_PROGRESS, SUCCEEDED, Gate
from tests.support.checks import Fixed


def histories(*checks: Any, stage: Stage = Stage.POST_SCALE_UP, **options: Any) -> dict[str, History]:
    return {each.check: each for each in histories_of(recorded(checked(*checks, stage=stage), **options))}


def test_answers_that_differ_in_numbers_only_are_one_row() -> None:
    found = histories(Wave(name="a", watch=Watch(for_minutes=10)))['wave "a"']

    assert [(row.when, row.times, row.status) for row in found.rows] == [
        ("0:00:00 to 0:09:00", 10, "WAIT"),
        ("0:10:00", 1, "PASS"),
    ]
    assert found.rows[0].reason.startswith("10 of 10 measurements passed, the last: latency ")
    assert [each.name for each in found.charted] == ["latency_ms", "failed", "passed"]
    assert found.rows[0].values[0].startswith("50 to ")
    assert found.rows[0].values[1:] == ["0", "1 to 10"]
    assert found.rows[0].took.endswith(" ms")
    assert (found.statuses, found.last.status, found.hook) == ("10 WAIT, 1 PASS", "PASS", "Checked")
    assert not found.ambiguous


def test_a_repeated_pass_is_not_an_answer() -> None:
    found = histories(Fixed(name="a"), Wave(name="b", watch=Watch(for_minutes=5)))

    assert found['fixed "a"'].statuses == "1 PASS"
    assert sum(row.times for row in found['wave "b"'].rows) == 6


def test_each_stage_has_a_history_over_all_steps() -> None:
    (found,) = histories(Fixed(name="a"), stage=Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, strategy=Strategy.LINEAR).values()

    assert (found.stage, found.statuses) == ("PRE_PRODUCTION_TRAFFIC_SHIFT", "10 PASS")
    assert [(row.when, row.times) for row in found.rows] == [("0:00:00 to 0:54:00", 10)]


def test_checks_of_one_name_are_ambiguous() -> None:
    (found,) = histories(Wave(), Wave(high=50)).values()

    assert found.ambiguous
    assert found.statuses == "2 PASS"


def test_a_check_without_numbers_has_no_charts() -> None:
    class Told(Check):
        type: str = "short"

        def run(self, context: Any) -> Outcome:
            return Outcome.skip("not here")

    (found,) = histories(Told()).values()

    assert (found.charted, found.measurements) == ([], [])
    assert [(row.reason, row.values) for row in found.rows] == [("not here", [])]


def test_a_measurement_that_an_answer_lacks_is_empty_there() -> None:
    class Late(Wave):
        def run(self, context: Any) -> Outcome:
            return super().run(context) if context.elapsed else Outcome.wait("nothing yet")

    (found,) = histories(Late(), stage=Stage.PRE_SCALE_UP).values()

    assert found.rows[0].values == [""]
    assert found.rows[1].values[0]


def test_the_middle_of_many_rows_is_left_out() -> None:
    class Fickle(Check):
        type: str = "fickle"

        def run(self, context: Any) -> Outcome:
            minute = int(context.elapsed // 60)
            word = "odd" if minute % 2 else "even"
            return Outcome.passed(word) if minute % 3 else Outcome.wait(word)

    watch = Watch(for_minutes=100, inconclusive_limit=99)
    hook = checked(Fickle(watch=watch), hook_details={"timeout_minutes": 200})
    (found,) = histories_of(recorded(hook))

    assert len(found.rows) == 40
    assert sum(row.times for row in found.rows) == 101
    (left_out,) = [row for row in found.rows if not row.status]
    assert left_out.reason == "left out here: 62 WAIT"
    assert left_out.when == "0:26:00 to 1:27:00"


def test_answers_in_a_rollback_are_separate() -> None:
    wait = {**IN_PROGRESS, "reason": "IN_PROGRESS 1 of 2 so far"}
    gate = Gate(wait, wait, SUCCEEDED, {**FAILED, "reason": "FAILED no good"}, SUCCEEDED)
    found = hooks_of(recorded(gate.at("TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT")))

    assert [(each.stage, each.rollback, each.target, each.statuses) for each in found] == [
        ("TEST_TRAFFIC_SHIFT", False, "gate", "2 IN_PROGRESS, 1 SUCCEEDED"),
        ("POST_TEST_TRAFFIC_SHIFT", False, "gate", "1 FAILED"),
        ("TEST_TRAFFIC_SHIFT", True, "gate", "1 SUCCEEDED"),
    ]
    assert [(row.when, row.times, row.status, row.reason) for row in found[0].rows] == [
        ("0:00:00 to 0:00:30", 2, "IN_PROGRESS", "1 of 2 so far"),
        ("0:01:00", 1, "SUCCEEDED", ""),
    ]
    assert found[1].rows[0].reason == "no good"


def test_an_invalid_answer_has_its_error() -> None:
    (found,) = hooks_of(recorded(Gate(ValueError("no reason")).at("PRE_SCALE_UP")))

    assert [(row.status, row.reason) for row in found.rows] == [(NO_ANSWER, "ValueError: no reason")]


def test_a_day_of_polls_is_two_rows() -> None:
    (found,) = hooks_of(recorded(Gate(IN_PROGRESS).at("PRE_SCALE_UP")))

    assert [(row.when, row.times) for row in found.rows] == [("0:00:00 to 23:59:30", 2880)]
