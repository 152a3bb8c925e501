from __future__ import annotations

from itertools import pairwise

from ecs_hooks_cli.report.play import Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.traffic import Traffic, traffic_of
from ecs_hooks_simulator import Strategy
from tests.cli.report.recorded import recorded
from tests.simulator.plays import FAILED, Gate


def traffic(play: Play) -> dict[str, Traffic]:
    return {each.listener: each for each in traffic_of(play, Scale.of(play))}


def test_the_weights_of_both_listeners() -> None:
    found = traffic(recorded())

    assert list(found) == ["production", "test"]
    assert found["production"].summary == found["test"].summary == "blue 100 %, then green 100 %"
    assert found["test"].shares[1].left < found["production"].shares[1].left


def test_steps_go_from_one_end_to_the_other() -> None:
    shares = traffic(recorded(strategy=Strategy.LINEAR))["production"].shares

    assert [share.green for share in shares] == [0, *range(10, 101, 10)]
    assert [share.blue for share in shares] == [100, *range(90, -1, -10)]
    assert [share.since for share in shares] == [0, *range(0, 541 * 6, 360)]
    assert (shares[0].left, shares[-1].right) == (0, 100)
    assert all(before.right == after.left for before, after in pairwise(shares))


def test_a_rollback_goes_back() -> None:
    play = recorded(Gate(FAILED).at("POST_PRODUCTION_TRAFFIC_SHIFT"))

    assert traffic(play)["production"].summary == "blue 100 %, then green 100 %, then blue 100 %"


def test_before_a_first_deployment_nobody_has_any() -> None:
    found = traffic(recorded(first=True))["production"]

    assert found.summary == "nobody, then green 100 %"


def test_other_revisions_are_neither_blue_nor_green() -> None:
    play = recorded()
    play.weights["production"] = {"somebody": 30.0, play.blue: 70.0}  # type: ignore[index]

    assert traffic(play)["production"].shares[0].text == "blue 70 %, other 30 %"
