from __future__ import annotations

import pytest

from ecs_hooks_cli.common.played import Played
from ecs_hooks_cli.common.recording import Recorder
from ecs_hooks_cli.report.play import plays_of
from ecs_hooks_simulator.core.timeline import StageEntered
from tests.cli.report.recorded import recorded
from tests.simulator.plays import FAILED, Gate, controller


def test_each_record_has_the_number_of_stages_that_had_begun() -> None:
    play = recorded()

    assert play.happened[0][0] == (0, 0)
    assert [moment.part for moment, record in play.happened if isinstance(record, StageEntered)] == list(range(1, 11))
    assert play.happened[-1][0] == (15 * 60, 10)
    assert play.seconds == 15 * 60


def test_deployments_are_told_apart_and_begin_where_the_one_before_ended() -> None:
    player, recorder = controller(Gate({"hookStatus": "SUCCEEDED"}, FAILED).at()), Recorder()
    player.timeline.subscribe(recorder.record)
    blue = player.adopt(image="app:1")
    played = [
        Played("first", player.deploy(image="app:2"), "SUCCESSFUL"),
        Played("second", player.deploy(image="app:3"), "SUCCESSFUL"),
    ]
    first, second = plays_of(played, recorder.records)

    assert (first.blue, first.green) == (blue.arn, second.blue)
    assert first.weights == {"production": {blue.arn: 100}, "test": {blue.arn: 100}}
    assert {name: dict(weights)[first.green] for name, weights in second.weights.items()} == {
        "production": 100,
        "test": 100,
    }
    assert second.happened[0][0].time == 0
    assert {record.deployment for _, record in second.happened} == {second.deployment.arn}


def test_a_first_deployment_has_no_blue() -> None:
    play = recorded(first=True)

    assert (play.blue, play.weights) == ("", {})
    assert [play.colour(play.green), play.colour("another"), play.colour("")] == ["green", "other", "blue"]


@pytest.mark.parametrize("first", [False, True])
def test_everybody_has_a_colour(first: bool) -> None:
    play = recorded(first=first)

    assert {play.colour(each.arn) for each in (play.deployment.target, *play.deployment.sources)} == (
        {"green"} if first else {"green", "blue"}
    )
