from __future__ import annotations

import pytest

from ecs_hooks.endpoint import green_endpoint
from ecs_hooks.event import Stage
from ecs_hooks.plan import Plan

EARLY = ["RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT"]


@pytest.mark.parametrize("stage", [*Stage, "POST_BAKE_TIME"])
def test_the_plan_says_where_green_is(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", "http://other")

    assert green_endpoint(Plan.parse({"base_url": "http://green:8080"}), stage).base_url == "http://green:8080"


@pytest.mark.parametrize("stage", list(Stage))
def test_app_url_counts_once_the_test_traffic_has_been_shifted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", " http://green:8080 ")
    endpoint = green_endpoint(Plan.parse({}), stage)

    if stage in EARLY:
        assert endpoint.base_url is None
        assert "it would test blue: set hookDetails.base_url" in endpoint.missing
    else:
        assert endpoint.base_url == "http://green:8080"


def test_without_either_the_fix_is_said() -> None:
    endpoint = green_endpoint(Plan.parse({}), Stage.POST_TEST_TRAFFIC_SHIFT)

    assert endpoint.base_url is None
    assert "set hookDetails.base_url, or APP_URL of the function" in endpoint.missing


def test_an_app_url_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", "green:8080")

    assert "must begin with http" in green_endpoint(Plan.parse({}), Stage.POST_TEST_TRAFFIC_SHIFT).missing
