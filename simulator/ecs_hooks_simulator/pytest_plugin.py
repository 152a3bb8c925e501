"""The pytest fixture `ecs_simulator`, for tests of your own hooks; registered when ecs-hooks is installed.

    from ecs_hooks_simulator import demo_application
    from my_hooks import lambda_handler

    def test_a_broken_upload_is_rolled_back(ecs_simulator):
        deployment = ecs_simulator.deploy(
            lambda_handler,
            stage="POST_TEST_TRAFFIC_SHIFT",
            green=demo_application("2", STORE="/nonexistent"),
        )
        assert deployment.status == "ROLLBACK_SUCCESSFUL"
        assert "500" in ecs_simulator.reasons[-1]

`green` and `blue` are any `Application(command=[...])` that listens on `PORT`; both are the demo application by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # imported on first use: every pytest run loads this module if ecs-hooks is installed
    from ecs_hooks_simulator.application import Application
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.hook_targets import Handler
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.service_deployment import ServiceDeployment
    from ecs_hooks_simulator.core.timeline import Record
    from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour
    from ecs_hooks_simulator.simulation import SimulationResult

__all__ = ["EcsSimulator", "ecs_simulator"]


class EcsSimulator:
    """Plays deployments with a handler as lifecycle hook."""

    _result: SimulationResult | None = None

    def deploy(  # noqa: PLR0913 - independent options
        self,
        handler: Handler,
        *,
        stage: str = "POST_TEST_TRAFFIC_SHIFT",
        hook_details: Any = None,
        green: Application | None = None,
        blue: Application | None = None,
        service: Service | None = None,
        behaviour: EcsBehaviour | None = None,
        alarms: Sequence[MetricAlarm] = (),
        faults: Sequence[Fault] = (),
        requests_per_minute: int = 0,
        app_url: bool = False,
    ) -> ServiceDeployment:
        """Play a deployment and return it when it is over; the parameters are those of `ecs_hooks_simulator.simulate`."""
        from ecs_hooks_simulator.simulation import simulate  # noqa: PLC0415 - as above

        self._result = simulate(
            handler,
            stage=stage,
            hook_details=hook_details,
            green=green,
            blue=blue,
            service=service,
            behaviour=behaviour,
            alarms=alarms,
            faults=faults,
            requests_per_minute=requests_per_minute,
            app_url=app_url,
        )
        return self._result.deployment

    @property
    def records(self) -> Sequence[Record]:
        """Everything that happened in the last deployment (`ecs_hooks_simulator.core.timeline`)."""
        return self._result.records if self._result else ()

    @property
    def reasons(self) -> Sequence[str]:
        """The reason of each response of the hook in the last deployment, in order."""
        return self._result.reasons if self._result else ()


@pytest.fixture
def ecs_simulator() -> EcsSimulator:
    """Play whole deployments with your hook: real applications behind a real load balancer."""
    return EcsSimulator()
