from __future__ import annotations

from ecs_hooks_simulator.base_simulation import Users
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.simulation import Simulation, demo_application
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer


def test_users_request_the_production_listener_every_minute_of_a_deployment() -> None:
    with Simulation(demo_application("1"), requests_per_minute=3) as simulation:
        deployment = simulation.deploy(demo_application("2"))
        seen = simulation.balancer.forwarded

    assert deployment.finished_at is not None
    minutes = (deployment.finished_at - deployment.created_at) // 60
    assert minutes == 15
    assert len(seen) == 3 * 15
    assert {each.listener for each in seen} == {"production"}
    assert {(each.time - deployment.created_at) % 60 for each in seen} == {20}


def test_users_in_virtual_time_do_not_wait_for_late_responses() -> None:
    with Simulation(demo_application("1"), requests_per_minute=2) as simulation:
        deployment = simulation.deploy(demo_application("2"), faults=[Fault.parse("latency=40s@100%")])
        seen = [each for each in simulation.balancer.forwarded if each.revision == deployment.target.arn]

    assert len(seen) == 2 * 15
    assert {each.seconds // 40 for each in seen} == {1}
    assert {(each.time - deployment.created_at) % 60 for each in seen} == {0}  # 20 seconds and 40


def test_users_ignore_errors_of_their_requests() -> None:
    with LoadBalancer() as balancer:
        url = balancer.url("production")
        Users(url, 2).visit()
    Users(url, 2).visit()

    assert balancer.forwarded == ()
