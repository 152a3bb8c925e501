from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.codedeploy.controller import CodeDeployController
from ecs_hooks.codedeploy.event import Carried, CodeDeployEvent, CodeDeployHookEvent
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import Stage
from tests.codedeploy.account import EVENT
from tests.conftest import load_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
COUNTS = st.integers(0, 10**9)
VERDICTS = st.sampled_from([("", ""), ("Succeeded", "SUCCEEDED all well"), ("Failed", "FAILED why")])


def test_contract_8_the_event_is_recognised_by_its_fields() -> None:
    assert CodeDeployController.recognizes(EVENT)
    assert not CodeDeployController.recognizes(load_event())
    assert not CodeDeployController.recognizes({**load_event(), **EVENT})
    assert not any(map(CodeDeployController.recognizes, [None, [], "", {"DeploymentId": "d-1"}]))


SERVICE = EcsArn("aws", "us-west-2", "123456789012", "service", "my-cluster", "my-service")


@given(COUNTS, COUNTS, COUNTS, COUNTS, VERDICTS)
def test_the_carried_data_survives_a_round_trip(
    began: int, number: int, deaths: int, errors: int, verdict: tuple[str, str]
) -> None:
    event = CodeDeployEvent.parse(EVENT)._replace(carried=Carried(began, number, deaths, errors, *verdict))
    assert CodeDeployEvent.parse(event.to_dict()) == event


@given(JSON)
def test_any_other_json_in_its_place_is_harmless(stored: Any) -> None:
    carried = Carried.load(stored)
    assert all(type(each) is int and each >= 0 for each in carried[:4])
    assert carried.verdict in {"", "Succeeded", "Failed"}


@given(st.dictionaries(st.sampled_from(Carried._fields), JSON))
def test_partly_invalid_carried_data_is_harmless(stored: dict[str, Any]) -> None:
    carried = Carried.load(stored)
    assert all(type(each) is int and each >= 0 for each in carried[:4])
    assert not carried.verdict or stored["verdict"] == carried.verdict


def test_an_event_with_its_hook() -> None:
    received = CodeDeployEvent.parse(EVENT)
    event = CodeDeployHookEvent(
        received, "AfterInstall", Stage.POST_SCALE_UP, "us-west-2", "orders", "orders-prod", SERVICE, "no object"
    )
    assert event.service_name == "my-service"
    assert event.configuration is None
    assert event._replace(hook_details={"a": 1}).configuration == {"a": 1}
    assert event.state is None
    assert event.stage_name == "post_scale_up"
    assert event.green_percent is None
