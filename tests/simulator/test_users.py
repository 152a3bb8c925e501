from __future__ import annotations

from ecs_hooks.simulator.balancer import LoadBalancer
from ecs_hooks.simulator.simulation import Simulation, demo_application
from ecs_hooks.simulator.users import Users


def test_users_ask_the_production_listener_every_minute_of_a_deployment() -> None:
    with Simulation(demo_application("1"), requests_per_minute=3) as simulation:
        deployment = simulation.deploy(demo_application("2"))
        seen = simulation.balancer.forwarded

    assert deployment.finished_at is not None
    minutes = (deployment.finished_at - deployment.created_at) // 60
    assert minutes == 15
    # The last visit may or may not still be made when the deployment ends at the same moment.
    assert 3 * 14 <= len(seen) <= 3 * 15
    assert {each.listener for each in seen} == {"production"}
    assert {(each.time - deployment.created_at) % 60 for each in seen} == {0}


def test_users_are_not_put_off_by_what_does_not_answer() -> None:
    with LoadBalancer() as balancer:
        url = balancer.url("production")
        Users(url, 2).visit()
    Users(url, 2).visit()

    assert balancer.forwarded == ()
