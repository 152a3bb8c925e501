"""A pytest fixture for hooks of one's own; registered when ecs-hooks is installed.

    from ecs_hooks_simulator.simulation import demo_application
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

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ecs_hooks_simulator.application import Application
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.record import ServiceDeployment
    from ecs_hooks_simulator.core.timeline import Record
    from ecs_hooks_simulator.ecs.undocumented import Behaviour


class EcsSimulator:
    """Plays deployments against a handler.

    Attributes
    ----------
    records
        What happened in the last deployment (`ecs_hooks_simulator.core.timeline`).
    """

    def __init__(self) -> None:
        self.records: list[Record] = []

    def deploy(  # noqa: PLR0913 - one parameter a choice
        self,
        handler: Callable[[Any, Any], Any],
        *,
        stage: str = "POST_TEST_TRAFFIC_SHIFT",
        hook_details: Any = None,
        green: Application | None = None,
        blue: Application | None = None,
        behaviour: Behaviour | None = None,
        requests_per_minute: int = 0,
        app_url: bool = False,
        faults: Sequence[Fault] = (),
    ) -> ServiceDeployment:
        """Deploy `green` over `blue` with the handler as hook of a stage, and return the deployment when it is over.

        Parameters
        ----------
        handler
            `lambda_handler(event, context)`.
        stage
            Where the hook is attached.
        hook_details
            Its `hookDetails`.
        green, blue
            The two versions.
        behaviour
            How ECS behaves where its documentation is silent.
        requests_per_minute
            How often users ask the production listener meanwhile, for the metrics of the load balancer.
        app_url
            Whether the handler finds the test listener's address as `APP_URL`, as AWS's own sample wants it.
        faults
            What goes wrong in green at which step, such as `Fault.parse("errors=20%@POST_TEST_TRAFFIC_SHIFT")`.
        """
        # Imported here: the plugin is loaded by every pytest run of whoever has ecs-hooks installed.
        from ecs_hooks_simulator import CallableTarget, LifecycleHook  # noqa: PLC0415
        from ecs_hooks_simulator.simulation import Simulation, demo_application  # noqa: PLC0415

        hook = LifecycleHook(target=CallableTarget(handler), lifecycle_stages=[stage], hook_details=hook_details)
        options: dict[str, Any] = {"requests_per_minute": requests_per_minute, "app_url": app_url}
        with Simulation(blue or demo_application("1"), behaviour=behaviour, **options) as simulation:
            deployment = simulation.deploy(green or demo_application("2"), hooks=[hook], faults=faults)
            self.records = simulation.timeline.records
        return deployment

    @property
    def reasons(self) -> list[str]:
        """The reasons that the hook gave, in order."""
        from ecs_hooks_simulator.core.timeline import HookAnswered  # noqa: PLC0415

        return [record.reason for record in self.records if isinstance(record, HookAnswered)]


@pytest.fixture
def ecs_simulator() -> EcsSimulator:
    """Plays whole deployments against a hook, with real applications behind a real load balancer."""
    return EcsSimulator()
