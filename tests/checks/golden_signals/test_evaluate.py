from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ecs_hooks.checks.golden_signals.evaluate import Counts, detectable_percent, failed_look, most_failed, most_slow


def draw(numbers: np.random.Generator, minutes: int, rate: int, share: float) -> list[Counts]:
    return [Counts(rate, float(bad)) for bad in numbers.binomial(rate, share, minutes)]


def test_a_look_requires_two_bad_periods_in_a_row_and_proof() -> None:
    good, bad = Counts(300, 0), Counts(300, 30)

    assert failed_look([bad, good, bad, good], 5, 5) is None
    assert failed_look([bad, Counts(0, 0), bad], 5, 5) == (0, 2, Counts(600, 60))
    assert failed_look([good] * 20 + [bad, bad], 5, 30) is None
    assert failed_look([good] * 20 + [bad, bad, bad], 5, 30) == (20, 22, Counts(900, 90))
    assert failed_look([Counts(3, 1), Counts(3, 1)], 5, 5) is None
    assert failed_look([], 5, 0) is None


def test_the_p_value_is_that_of_the_binomial_test() -> None:
    # 4 tests a look, 5 looks: the level is 0.0005.
    for bad in range(10, 60):
        counts = [Counts(300, bad / 2), Counts(300, bad - bad / 2)]
        proof = stats.binom.sf(bad - 1, 600, 0.05) <= 0.01 / 20
        assert (failed_look(counts, 5, 5) is not None) == (proof and bad / 2 > 15)


@pytest.mark.parametrize("limit", [1.0, 5.0])
def test_at_most_one_in_a_hundred_is_wrong_at_half_and_at_twice_the_limit(limit: float) -> None:
    numbers = np.random.default_rng(7)

    def failed(percent: float) -> bool:
        counts = draw(numbers, 5, 300, percent / 100)
        total = sum(each.bad for each in counts)
        return failed_look(counts, limit, 5) is not None or total > most_failed(1500, limit)

    assert sum(failed(limit / 2) for _ in range(1000)) <= 10
    assert sum(not failed(limit * 2) for _ in range(1000)) <= 10


def test_half_of_the_requests_fail_within_the_second_minute_always() -> None:
    numbers = np.random.default_rng(7)
    for _ in range(500):
        look = failed_look(draw(numbers, 2, 300, 0.5), 5, 5)
        assert look is not None
        assert look.last == 1


@pytest.mark.parametrize("minutes", [5, 60])
def test_a_green_at_its_limit_stays_within_the_error_budget(minutes: int) -> None:
    numbers = np.random.default_rng(7)

    assert sum(failed_look(draw(numbers, minutes, 60, 0.05), 5, minutes) is not None for _ in range(300)) <= 3


@pytest.mark.parametrize(("size", "most"), [(1500, 15), (300, 3), (99, 1), (11, 1), (10, 0), (1, 0)])
def test_slow_requests_that_are_allowed(size: float, most: int) -> None:
    assert most_slow(size) == most


@pytest.mark.parametrize(("size", "limit"), [(1500, 1.0), (300, 5.0), (20, 5.0), (1500, 0.0)])
def test_what_is_detectable_fails_with_the_power(size: float, limit: float) -> None:
    most = most_failed(size, limit)
    share = detectable_percent(size, most) / 100

    assert stats.binom.sf(most, size, share) == pytest.approx(0.8, abs=1e-9)
    assert detectable_percent(0, 0) == 100
