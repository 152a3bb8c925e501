from __future__ import annotations

import json
import math
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.core.event import EventError, LifecycleEvent, Stage, TrafficWeights
from ecs_hooks.core.formatting import json_type
from tests.conftest import BLUE, GREEN, load_event, shifted
from tests.support.answers import NAMES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_event_is_read(name: str) -> None:
    event = LifecycleEvent.parse(load_event(name))

    assert event.target_revision.kind == "service-revision"
    assert event.service.service in {"my-service", "native-bg-1"}
    assert event.stage_name == event.stage.lower()


def test_the_documented_production_shift_is_read_whole() -> None:
    event = LifecycleEvent.parse(load_event("production_traffic_shift"))

    assert event.execution_id == "f4fcae0f-9bec-41c6-ba87-0eaa0cef8af5"
    assert event.stage is Stage.PRODUCTION_TRAFFIC_SHIFT
    assert event.deployment.id == "EZe5RNVLH6PPzHXINuP28"
    assert str(event.target_revision) == GREEN
    assert dict(event.production_weights) == {GREEN: 100.0, BLUE: 0.0}
    assert dict(event.test_weights) == {}
    assert event.green_percent == 100.0
    assert event.configuration == {}
    assert event.state is None


def test_the_flat_shape_says_the_same() -> None:
    nested, flat = load_event("reconcile_service"), load_event("reconcile_service_flat")

    assert LifecycleEvent.parse(nested) == LifecycleEvent.parse(flat)


def test_the_eight_stages_are_those_of_the_api() -> None:
    model = botocore.session.get_session().get_service_model("ecs")

    assert list(Stage) == model.shape_for("DeploymentLifecycleHookStage").enum


def test_an_unknown_stage_and_unknown_fields_are_kept() -> None:
    event = LifecycleEvent.parse(load_event("unknown_stage"))

    assert event.stage == "POST_BAKE_TIME"
    assert not isinstance(event.stage, Stage)
    assert event.extra == {"region": "us-west-2"}


def test_a_missing_execution_id_and_service_are_no_reason_to_refuse() -> None:
    raw = load_event()
    del raw["executionId"], raw["executionDetails"]["serviceArn"]

    event = LifecycleEvent.parse(raw)

    assert event.execution_id == ""
    assert str(event.service).endswith(":service/my-cluster/my-service")


@pytest.mark.parametrize(("value", "percent"), [(0, 0.0), (10, 10.0), (0.1, 0.1), ("99.9", 99.9), (100.0, 100.0)])
def test_weights_may_be_whole_or_not_or_quoted(value: Any, percent: float) -> None:
    event = LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: value}))

    assert event.green_percent == percent


def test_null_weights_are_none() -> None:
    raw = load_event()
    raw["executionDetails"] |= {"testTrafficWeights": None, "productionTrafficWeights": None}

    event = LifecycleEvent.parse(raw)

    assert not event.test_weights
    assert event.green_percent is None


@pytest.mark.parametrize("value", [-1, 100.5, math.nan, math.inf, True, None, [1], {}, "ten", "1e999"])
def test_a_weight_that_is_no_per_cent_is_named(value: Any) -> None:
    with pytest.raises(EventError, match=r"event\.executionDetails\.productionTrafficWeights: every weight"):
        LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: value}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lifecycleStage": None}, "event.lifecycleStage: is required"),
        ({"lifecycleStage": 3}, "event.lifecycleStage"),
        ({"resourceArn": None}, "event.resourceArn: is required; expected the ARN of a service-deployment"),
        ({"resourceArn": 5}, "event.resourceArn: must be a string, not number"),
        ({"resourceArn": "arn:aws:s3:::bucket"}, "event.resourceArn: not an ECS ARN"),
        ({"executionDetails": []}, "event.executionDetails: must be an object, not array"),
        ({"executionDetails": {}}, "event.executionDetails.targetServiceRevisionArn: is required"),
        (
            {"executionDetails": {"targetServiceRevisionArn": GREEN, "testTrafficWeights": [1]}},
            "event.executionDetails.testTrafficWeights: must be an object",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(EventError, match=says.replace(".", r"\.")) as raised:
        LifecycleEvent.parse(load_event(**change))

    assert raised.value.field_name


SAME = "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service"
DEPLOYMENT = "arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/my-service/EZe5RNVLH6PPzHXINuP28"
OTHERS = {
    "partition": ("arn:aws:", "arn:aws-cn:"),
    "region": ("us-west-2", "eu-west-1"),
    "account": ("123456789012", "210987654321"),
    "cluster": ("my-cluster", "other"),
    "service": ("/my-service", "/other"),
}


@pytest.mark.parametrize("part", OTHERS)
@pytest.mark.parametrize("name", ["event_production_traffic_shift", "reconcile_service_flat"])
@pytest.mark.parametrize("field", ["serviceArn", "targetServiceRevisionArn", "resourceArn"])
def test_arns_of_different_services_are_no_event(part: str, name: str, field: str) -> None:
    event = load_event(name.removeprefix("event_"))
    details = event if field in event else event["executionDetails"]
    right = details[field]
    details[field] = wrong = right.replace(*OTHERS[part])
    where = "executionDetails." if "executionDetails" in event else ""

    with pytest.raises(EventError, match=f"of another {part} than") as raised:
        LifecycleEvent.parse(event)

    changed = field if field == "resourceArn" else f"{where}{field}"
    for text in ("event.resourceArn", f"event.{changed}", wrong, DEPLOYMENT if field != "resourceArn" else GREEN):
        assert text in str(raised.value)


@pytest.mark.parametrize("weights", ["test", "production"])
def test_the_weights_of_another_service_are_no_event(weights: str) -> None:
    other = BLUE.replace("/my-service/", "/other/")
    event = shifted("PRODUCTION_TRAFFIC_SHIFT", **{weights: {GREEN: 100, other: 0}})

    with pytest.raises(EventError, match=rf"{weights}TrafficWeights\[1\]: {other} is of another service than"):
        LifecycleEvent.parse(event)
    LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", **{weights: {GREEN: 100, "9313423515462893900": 0}}))


@pytest.mark.parametrize(
    "other",
    [SAME, DEPLOYMENT.replace("-deployment", "-revision"), DEPLOYMENT.replace("service-deployment", "task-set")],
)
def test_weights_of_anything_of_another_service_are_no_event(other: str) -> None:
    event = shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 100, other: 0})
    LifecycleEvent.parse(event)
    event = shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 100, other.replace("/my-service", "/other"): 0})
    with pytest.raises(EventError, match="of another service than"):
        LifecycleEvent.parse(event)


@pytest.mark.parametrize(("name", "arn"), [("serviceArn", SAME), ("targetServiceRevisionArn", GREEN)])
def test_the_flat_shape_beside_the_nested_one_is_of_the_same_service(name: str, arn: str) -> None:
    LifecycleEvent.parse(load_event(**{name: arn}))
    with pytest.raises(EventError, match=f"^event.{name}: .* is of another service than event.resourceArn"):
        LifecycleEvent.parse(load_event(**{name: arn.replace("/my-service", "/other")}))
    with pytest.raises(EventError, match=f"^event.{name}: "):
        LifecycleEvent.parse(load_event(**{name: "x"}))


def test_a_service_arn_without_cluster_as_before_2021_is_of_the_same_service() -> None:
    raw = load_event()
    raw["executionDetails"]["serviceArn"] = SAME.replace("my-cluster/", "")

    assert str(LifecycleEvent.parse(raw).deployed) == SAME


@pytest.mark.parametrize("value", [None, [], "x", 3, True])
def test_what_is_no_object_is_no_event(value: Any) -> None:
    with pytest.raises(EventError, match=f"event: must be a JSON object, not {json_type(value)}"):
        LifecycleEvent.parse(value)


@pytest.mark.parametrize(
    ("details", "configuration"),
    [
        (None, {}),
        ({}, {}),
        ({"a": 1, "ecsHooks": {"x": 1}}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("Test string", None),
        ("[1]", None),
        ([1], None),
        (7, None),
        (True, None),
    ],
)
def test_hook_details_may_be_any_json(details: Any, configuration: Any) -> None:
    assert LifecycleEvent.parse(load_event(hookDetails=details)).configuration == configuration


def test_state_is_found_beside_the_configuration() -> None:
    assert LifecycleEvent.parse(load_event(hookDetails={"ecsHooks": {"version": 1}})).state == {"version": 1}
    assert LifecycleEvent.parse(load_event(hookDetails=[1])).state is None


def test_a_string_that_is_nested_without_end_is_no_configuration() -> None:
    assert LifecycleEvent.parse(load_event(hookDetails="[" * 100_000)).configuration is None


def test_json_types_have_their_names() -> None:
    names = [json_type(value) for value in (None, True, "a", 1, 1.5, {}, [], (), object())]

    assert names == ["null", "boolean", "string", "number", "number", "object", "array", "array", "object"]


def test_weights_are_shown_as_they_are() -> None:
    assert repr(TrafficWeights({"a": 1.0})) == "TrafficWeights({'a': 1.0})"


@given(JSON)
def test_any_json_is_an_event_or_a_named_error(value: Any) -> None:
    try:
        LifecycleEvent.parse(value)
    except EventError as error:
        assert str(error).startswith("event")


@given(st.dictionaries(st.sampled_from(sorted(load_event("production_traffic_shift"))), JSON))
def test_any_change_of_an_event_is_an_event_or_a_named_error(changes: dict[str, Any]) -> None:
    try:
        event = LifecycleEvent.parse({**load_event("production_traffic_shift"), **changes})
    except EventError as error:
        assert str(error).startswith("event.")
    else:
        json.dumps(event.configuration)
