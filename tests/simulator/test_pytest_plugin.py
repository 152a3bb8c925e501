from __future__ import annotations

import os
import re

import pytest
import urllib3

from ecs_hooks_simulator import pytest_plugin
from ecs_hooks_simulator.core.faults import Fault

pytest_plugins = ["pytester"]


def test_the_example_of_its_docstring_holds(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        my_hooks="""
        from ecs_hooks import Hook, lifecycle_hook
        from ecs_hooks.checks import HttpCheck

        @lifecycle_hook
        def lambda_handler(hook: Hook):
            yield HttpCheck(path="/health")
            yield HttpCheck(method="POST", path="/process", multipart={"file": {"filename": "a", "content": "b"}})
        """
    )
    example = re.search(r"\n\n((?:    .*\n|\n)+)", pytest_plugin.__doc__ or "")
    assert example is not None
    pytester.makepyfile(test_example=example.group(1))

    # In a process of its own: modules that the inner run is the first to load would be taken away from this one again.
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_both_versions_are_the_demo_application_by_default(ecs_simulator: pytest_plugin.EcsSimulator) -> None:
    def handler(event: object, context: object) -> dict[str, str]:
        return {"hookStatus": "SUCCEEDED", "reason": "fine"}

    assert (ecs_simulator.records, ecs_simulator.reasons) == ((), ())
    deployment = ecs_simulator.deploy(handler, stage="PRE_SCALE_UP")

    assert deployment.status == "SUCCESSFUL"
    assert ecs_simulator.reasons == ["fine"]
    assert [record.kind for record in ecs_simulator.records][-1] == "status-changed"


def test_faults_reach_the_handler(ecs_simulator: pytest_plugin.EcsSimulator) -> None:
    def handler(event: object, context: object) -> dict[str, str]:
        return {"hookStatus": "SUCCEEDED" if urllib3.request("GET", os.environ["APP_URL"]).status == 200 else "FAILED"}

    faults = [Fault.parse("errors=100%@POST_TEST_TRAFFIC_SHIFT")]

    assert ecs_simulator.deploy(handler, app_url=True, faults=faults).status == "ROLLBACK_SUCCESSFUL"


def test_a_handler_like_awss_sample_gets_app_url(ecs_simulator: pytest_plugin.EcsSimulator) -> None:
    def handler(event: object, context: object) -> dict[str, str]:
        status = urllib3.request("GET", os.environ["APP_URL"] + "/health").status
        return {"hookStatus": "SUCCEEDED" if status == 200 else "FAILED"}

    assert ecs_simulator.deploy(handler, app_url=True).status == "SUCCESSFUL"
    assert ecs_simulator.deploy(handler).status == "ROLLBACK_SUCCESSFUL"
