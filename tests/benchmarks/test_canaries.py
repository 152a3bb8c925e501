from __future__ import annotations

import pytest

from benchmarks.judgement import canaries as judgement
from ecs_hooks_simulator.canaries import Canaries, Played


def play(judge: str, green: str, *seeds: int, requests: float = judgement.MINIMUM) -> list[Played]:
    with Canaries(requests_per_minute=requests, blue=judgement.BLUE) as canaries:
        return [judgement.play(canaries, judge, green, seed) for seed in seeds]


@pytest.mark.parametrize("judge", judgement.JUDGES)
def test_a_canary_that_is_twice_as_slow_is_stopped_at_its_first_step(
    judge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(judgement.GREENS, "all", judgement.BLUE.slower(2))
    (played,) = play(judge, "all", 0, requests=300)

    assert played.stopped
    assert played.shares == (20, 0)
    assert judgement.JUDGES[judge].refusal in played.reason


def test_a_canary_that_is_as_quick_as_blue_passes() -> None:
    (played,) = play("comparison", "equal", 0, requests=300)

    assert played.passed
    assert played.shares == (20, 100)


def test_a_deployment_that_fails_for_another_reason_is_no_verdict() -> None:
    with pytest.raises(RuntimeError, match=r"comparison, all, seed 0: .*0 datapoints of green"):
        play("comparison", "all", 0, requests=0)


@pytest.mark.slow
@pytest.mark.parametrize(("green", "shares"), [("equal", (20, 100)), ("tail", (20, 0)), ("all", (20, 0))])
def test_at_the_documented_minimum_the_comparison_is_hardly_ever_wrong(green: str, shares: tuple[float, ...]) -> None:
    """A tenth of the benchmark's runs, so that one wrong of them is already too many."""
    played = play("comparison", green, *range(20))

    assert [each.shares for each in played] == [shares] * 20
    assert {each.passed for each in played} == {green == "equal"}


@pytest.mark.slow
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert judgement.main(["--runs", "2", "--jobs", "1", "--judges", "comparison"]) == 0
    assert "comparison with blue                        0 (0.0 %)            0 (0.0 %)" in capsys.readouterr().out
