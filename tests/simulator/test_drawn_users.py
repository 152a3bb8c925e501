from __future__ import annotations

import math
from collections import Counter
from random import Random
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator import CanaryConfiguration, DeploymentController, Service, Strategy, VirtualClock
from ecs_hooks_simulator.aws.metric_statistic import statistic
from ecs_hooks_simulator.canaries import Performance
from ecs_hooks_simulator.core.clock import EPOCH
from ecs_hooks_simulator.drawn_users import DrawnUsers, Load
from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer

STEADY = Load(wave_percent=0, noise_percent=0)
QUICK, SLOW = (Performance(median=median, spread=0.001, slow_percent=0) for median in (0.1, 0.2))


def play(seed: int = 0, green: Performance = SLOW, **options: Any) -> tuple[list[Forwarded], str, str]:
    """Play a canary of 20 % from 0:30 to 2:30, of 100 % from then on; return the requests, blue and green."""
    canary = CanaryConfiguration(canary_percent=20, canary_bake_time_minutes=2)
    service = Service(service="api", strategy=Strategy.CANARY, canary=canary, bake_time_minutes=3)
    balancer = LoadBalancer()
    controller = DeploymentController(service, traffic=balancer, clock=VirtualClock(EPOCH + 30))
    blue = controller.adopt(settings={"performance": QUICK})
    DrawnUsers(balancer, controller, requests_per_minute=600, seed=seed, **{"load": STEADY} | options)
    deployment = controller.deploy(settings={"performance": green})
    return [each._replace(time=each.time - EPOCH) for each in balancer.forwarded], blue.arn, deployment.target.arn


def test_requests_are_split_by_the_weights_at_their_time() -> None:
    requests, blue, green = play()
    seen = Counter((each.revision, each.time // 30) for each in requests)

    # In half minutes: the weights change in the middle of the third minute.
    assert [seen[green, half] for half in range(1, 7)] == [60, 60, 60, 60, 300, 300]
    assert [seen[blue, half] for half in range(1, 7)] == [240, 240, 240, 240, 0, 0]
    assert [each.time for each in requests] == sorted(each.time for each in requests)
    assert {(each.listener, each.status, each.origin) for each in requests} == {("production", 200, "target")}


def test_each_revision_has_the_response_times_of_its_settings() -> None:
    requests, blue, green = play()

    assert {round(each.seconds, 2) for each in requests if each.revision == blue} == {0.1}
    assert {round(each.seconds, 2) for each in requests if each.revision == green} == {0.2}


def test_the_same_seed_draws_the_same_requests() -> None:
    def drawn(seed: int, green: Performance = SLOW) -> list[tuple[float, float]]:
        requests, blue, _ = play(seed, green)
        return [(each.time, each.seconds) for each in requests if each.revision == blue]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    # Blue's users are the same, whatever green does.
    assert drawn(1) == drawn(1, green=Performance())


def test_the_load_slows_both_revisions_in_the_same_minute() -> None:
    load = Load(wave_percent=0, noise_percent=30)
    requests, blue, green = play(3, load=load)
    for each in requests:
        expected = load.factor(3, int((EPOCH + each.time) // 60)) * {blue: 0.1, green: 0.2}[each.revision]
        assert math.isclose(each.seconds, expected, rel_tol=0.01)


@given(st.integers(), st.integers(0, 10_000))
def test_the_load_is_a_wave_between_its_bounds(seed: int, minute: int) -> None:
    load = Load(wave_percent=15, wave_minutes=60, noise_percent=0)

    assert math.exp(-0.15) <= load.factor(seed, minute) <= math.exp(0.15)
    assert math.isclose(load.factor(seed, minute), load.factor(seed, minute + 60))
    assert math.isclose(load.factor(seed, minute) * load.factor(seed, minute + 30), 1)


def test_a_revision_without_a_performance_has_the_default_one() -> None:
    balancer = LoadBalancer()
    controller = DeploymentController(Service(service="api", bake_time_minutes=2), traffic=balancer)
    controller.adopt()
    DrawnUsers(balancer, controller, requests_per_minute=10, load=STEADY)
    controller.deploy()

    assert {0 < each.seconds < 5 for each in balancer.forwarded} == {True}


TAILED = Performance()


@given(
    st.floats(0.001, 10),
    st.floats(0.01, 2),
    st.floats(0, 100),
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=2).map(sorted),
)
def test_quantiles_are_ordered_and_scale_with_the_response_times(
    median: float, spread: float, slow: float, shares: list[float]
) -> None:
    performance = Performance(median=median, spread=spread, slow_percent=slow)
    low, high = (performance.quantile(share) for share in shares)

    assert low <= high
    assert performance.slower(2).quantile(shares[0]) == pytest.approx(min(2 * low, 3600))


def test_drawn_responses_have_the_quantiles_of_the_distribution() -> None:
    answers = list(TAILED.answers(Random(1), 100_000))
    seconds = [each for _, each in answers]

    assert {status for status, _ in answers} == {200}
    assert median(seconds) == pytest.approx(TAILED.quantile(0.5), rel=0.02)
    assert statistic("p99", seconds) == pytest.approx(TAILED.quantile(0.99), rel=0.02)
    # The tail is long: p99 is five times the median.
    assert 4.5 < TAILED.quantile(0.99) / TAILED.quantile(0.5) < 5.5


def test_a_slower_tail_does_not_change_ordinary_responses() -> None:
    green = TAILED.slower_tail(1.3)

    assert green.quantile(0.99) == pytest.approx(1.3 * TAILED.quantile(0.99))
    assert green.quantile(0.5) == pytest.approx(TAILED.quantile(0.5), rel=0.005)
    assert TAILED.slower(1.3).quantile(0.5) == pytest.approx(1.3 * TAILED.quantile(0.5))


def test_a_tail_requires_slow_responses() -> None:
    with pytest.raises(ValueError, match=r"slow_percent 0\.5: "):
        Performance(slow_percent=0.5).slower_tail(1.3)


def test_errors_have_their_configured_share() -> None:
    answers = Performance(error_percent=10).answers(Random(1), 10_000)

    assert sum(status == 500 for status, _ in answers) == pytest.approx(1000, rel=0.1)
