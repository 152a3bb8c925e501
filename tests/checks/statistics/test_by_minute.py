from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from ecs_hooks.checks.statistics import by_minute
from ecs_hooks.checks.statistics.by_minute import Comparison, Counts, compare_counts, compare_pairs, merged, total

RATIOS = [1.0, 1.1, 0.5, 3.0]


@st.composite
def minute(draw: st.DrawFn, most: int = 400, hits: int = 8) -> Counts:
    green, blue = draw(st.integers(1, most)), draw(st.integers(1, most))
    return Counts(draw(st.integers(0, min(green, hits))), green, draw(st.integers(0, min(blue, hits))), blue)


few_hits = st.lists(minute(), min_size=1, max_size=12)
many_hits = st.lists(minute(most=3000, hits=3000), min_size=3, max_size=20)


def exact_mid_p(minutes: Sequence[Counts], ratio: float) -> float:
    """Return the mid-p value of the exact conditional test, stratified by minute."""
    distribution = np.ones(1)
    for each in minutes:
        hits = int(each.green_hits + each.blue_hits)
        green, blue = int(each.green_size), int(each.blue_size)
        numbers = np.arange(hits + 1)
        law = (
            scipy.stats.hypergeom(green + blue, green, hits)
            if ratio == 1
            else scipy.stats.binom(hits, ratio * green / (ratio * green + blue))
        )
        distribution = np.convolve(distribution, law.pmf(numbers))
    seen = int(sum(each.green_hits for each in minutes))
    return float(distribution[seen + 1 :].sum() + distribution[seen] / 2)


def normal_p(minutes: Sequence[Counts], ratio: float) -> float:
    """Return the p-value of the Cochran-Mantel-Haenszel statistic without continuity correction, one-sided."""
    green_hits, green, blue_hits, blue = np.array(minutes, dtype=float).T
    hits, size = green_hits + blue_hits, green + blue
    share = ratio * green / (ratio * green + blue)
    excess = float((green_hits - hits * share).sum())
    if ratio == 1:
        variance = float((green * blue * hits * (size - hits) / (size**2 * (size - 1))).sum())
    else:
        variance = float((hits * share * (1 - share)).sum())
    return float(scipy.stats.norm.sf(excess / math.sqrt(variance))) if variance > 0 else 1.0


def inflation(residuals: Any) -> float:
    """Return the factor of the variance of the sum: (1 + rho) / (1 - rho), with rho corrected for its bias."""
    rho = float((residuals[1:] * residuals[:-1]).sum() / (residuals**2).sum())
    rho = min(by_minute._MAX_CORRELATION, max(0.0, rho + by_minute._CORRELATION_BIAS / len(residuals)))
    return (1 + rho) / (1 - rho)


def effective_freedom(number: int, factor: float) -> float:
    """Return the degrees of freedom of the variance of so many minutes with this inflation."""
    return max(1.0, number / 2, number / factor - 1)


def by_numpy(minutes: Sequence[Counts], ratio: float, chance: float) -> tuple[float, float]:
    """Return the p-value and the degrees of freedom with the dispersion between the minutes."""
    green_hits, green, blue_hits, blue = np.array(minutes, dtype=float).T
    share = ratio * green / (ratio * green + blue)
    excess = green_hits - (green_hits + blue_hits) * share
    rates = [sum(hits) / sum(size) for hits, size in ((green_hits, green), (blue_hits, blue))]
    sampling = sum(
        rate * (1 - rate) * (size * factor**2).sum()
        for rate, size, factor in zip(rates, (green, blue), (1 - share, share), strict=True)
    )
    hits, size = green_hits + blue_hits, green + blue
    finite = np.where(size > 1, (size - hits) / np.maximum(size - 1, 1), 1.0) if ratio == 1 else 1.0
    binomial = float((hits * share * (1 - share) * finite).sum())
    number = len(minutes)
    extra = max(0.0, number * float(np.var(excess, ddof=1)) - sampling) if number > 1 else 0.0
    factor = inflation(excess - excess.mean()) if extra > 0 else 1.0
    extra *= factor
    spread = max(binomial, sampling + extra)
    if extra == 0 or spread == binomial:
        return chance, math.inf
    freedom = effective_freedom(number, factor) * (spread / extra) ** 2
    return max(chance, float(scipy.stats.t.sf(excess.sum() / math.sqrt(spread), freedom))), freedom


@given(few_hits, st.sampled_from(RATIOS))
def test_few_hits_have_the_exact_conditional_test(minutes: list[Counts], ratio: float) -> None:
    found = compare_counts(minutes, ratio=ratio)
    p_value, freedom = by_numpy(minutes, ratio, exact_mid_p(minutes, ratio))

    assert found.p_value == pytest.approx(p_value, abs=1e-9)
    assert found.freedom == pytest.approx(freedom, rel=1e-6)


@pytest.mark.parametrize("ratio", RATIOS)
@given(counts=minute(most=2000, hits=90))
def test_one_minute_has_no_dispersion(ratio: float, counts: Counts) -> None:
    found = compare_counts([counts], ratio=ratio)

    assert found.p_value == pytest.approx(exact_mid_p([counts], ratio), abs=1e-9)
    assert found.freedom == math.inf


@given(many_hits, st.sampled_from(RATIOS))
def test_many_hits_have_the_normal_approximation(minutes: list[Counts], ratio: float) -> None:
    sums = total(minutes)
    assume(sums.green_hits + sums.blue_hits > 200)
    found = compare_counts(minutes, ratio=ratio)
    p_value, freedom = by_numpy(minutes, ratio, normal_p(minutes, ratio))

    assert found.p_value == pytest.approx(p_value, abs=1e-9)
    assert found.freedom == pytest.approx(freedom, rel=1e-6)


def test_the_normal_approximation_is_the_cochran_mantel_haenszel_test() -> None:
    minutes = [Counts(30 + minute % 2, 300, 58 + minute % 3, 600) for minute in range(6)]

    assert compare_counts(minutes).p_value == pytest.approx(normal_p(minutes, 1), abs=1e-9)


@pytest.mark.parametrize(
    "counts",
    [
        Counts(148, 12_000, 2, 200),
        Counts(2, 200, 148, 12_000),
        Counts(199, 1_000_000, 1, 250),
        Counts(0, 5, 200, 10**6),
    ],
)
def test_unequal_traffic_overflows_nothing(counts: Counts) -> None:
    assert compare_counts([counts]).p_value == pytest.approx(exact_mid_p([counts], 1), abs=1e-9)


@pytest.mark.parametrize("size", [5, 300])
@given(st.data())
def test_swapped_revisions_have_the_opposite_result(size: int, data: st.DataObject) -> None:
    minutes = data.draw(st.lists(minute(hits=size), min_size=1, max_size=8))
    found, swapped = compare_counts(minutes), compare_counts([each.swapped for each in minutes])

    assert found.p_value + swapped.p_value == pytest.approx(1, abs=1e-9) or found.p_value + swapped.p_value > 1
    assert math.copysign(1, round(found.difference, 12)) * round(swapped.difference, 12) <= 0


@given(few_hits)
def test_misses_have_the_opposite_result(minutes: list[Counts]) -> None:
    assert [each.misses.misses for each in minutes] == minutes
    found, misses = compare_counts(minutes), compare_counts([each.misses for each in minutes])

    assert found.difference == pytest.approx(-misses.difference, abs=1e-9)


@given(few_hits)
def test_a_higher_allowed_ratio_never_lowers_the_binomial_p_value(minutes: list[Counts]) -> None:
    pooled = [total(minutes)]

    assert compare_counts(pooled, ratio=1.5).p_value <= compare_counts(pooled, ratio=2).p_value + 1e-12


def test_without_hits_there_is_a_detectable_difference() -> None:
    found = compare_counts([Counts(0, 100, 0, 100)] * 15)

    assert found.p_value == pytest.approx(0.5)
    assert found.difference == 0
    assert 0 < found.detectable(0.015) < 0.01


def test_minutes_of_one_revision_alone_do_not_count() -> None:
    both = [Counts(3, 100, 1, 100), Counts(2, 50, 1, 70)]
    alone = [Counts(10, 10, 0, 0), Counts(0, 0, 70, 70)]

    assert compare_counts([*both, *alone]) == compare_counts(both)
    assert [each.both for each in alone] == [False, False]


def test_one_request_of_each_is_not_enough_for_a_variance() -> None:
    assert compare_counts([Counts(1, 1, 0, 1)]).p_value == pytest.approx(0.25)
    assert compare_counts([Counts(1, 1, 1, 1)]).p_value == pytest.approx(0.5)
    assert compare_counts([Counts(101, 101, 101, 101)] * 3).p_value == 1


def test_bursts_of_one_revision_are_no_proof() -> None:
    evenly = [Counts(4, 100, 1, 100)] * 15
    in_bursts = [Counts(30, 100, 0, 100), *[Counts(0, 100, 0, 100)] * 6] * 2 + [Counts(0, 100, 15, 100)]

    assert total(evenly) == total(in_bursts)
    assert compare_counts(evenly, sparse=True).p_value < 1e-5
    assert compare_counts(in_bursts, sparse=True).p_value > 0.1


def test_rare_hits_are_dispersed_only_if_that_is_significant() -> None:
    rare = [Counts(each, 100, 0, 100) for each in (1, 0, 0, 2, 0, 1, 0, 0, 2, 0, 1, 0)]

    assert compare_counts(rare, sparse=True).p_value == pytest.approx(exact_mid_p(rare, 1), abs=1e-9)
    assert compare_counts(rare).p_value > compare_counts(rare, sparse=True).p_value
    burst = [Counts(7, 100, 0, 100), *[Counts(0, 100, 0, 100)] * 11]
    assert compare_counts(burst, sparse=True).p_value == compare_counts(burst).p_value > 0.1
    assert compare_counts(burst[1:], sparse=True).p_value == pytest.approx(0.5)


@pytest.mark.parametrize("freedom", [4, 14, 59])
def test_the_limit_of_dispersion_is_a_quantile_of_chi_squared(freedom: int) -> None:
    # One hit a minute on average, all excesses in one minute: the sum of squares grows with their number.
    sizes, bound = 10_000, float(scipy.stats.chi2.isf(by_minute._DISPERSION_TAIL, freedom))

    def seen(hits: int) -> tuple[float, bool]:
        minutes = [Counts(hits, sizes, 0, sizes), *[Counts(0, sizes, 0, sizes)] * freedom]
        squares = (hits / 2) ** 2 * (1 - 1 / (freedom + 1))
        rate = hits / sizes / (freedom + 1)
        sampling = rate * (1 - rate) * sizes / 4  # of each minute
        return squares / sampling, math.isfinite(compare_counts(minutes, sparse=True).freedom)

    for hits in range(2, 2 * freedom):
        statistic, dispersed = seen(hits)
        if abs(statistic / bound - 1) > 0.05 and hits < by_minute._SPARSE * (
            freedom + 1
        ):  # the approximation of Wilson and Hilferty
            assert dispersed is (statistic > bound)


def test_the_sums_of_no_minutes_are_0() -> None:
    assert total([]) == Counts(0, 0, 0, 0)
    assert total([Counts(1, 2, 3, 4), Counts(10, 20, 30, 40)]) == Counts(11, 22, 33, 44)


values = st.lists(st.floats(-100, 100).map(lambda each: round(each, 3)), min_size=2, max_size=40)


@given(values)
def test_pairs_have_the_paired_t_test_with_fewer_effective_minutes(differences: list[float]) -> None:
    series = np.array(differences)
    assume(float(series.std()) > 1e-3)
    found = compare_pairs(differences, [1.0] * len(differences))
    factor = inflation(series - series.mean())
    freedom = effective_freedom(len(series), factor)
    t = scipy.stats.ttest_1samp(series, 0).statistic / math.sqrt(factor)

    assert found.p_value == pytest.approx(float(scipy.stats.t.sf(t, freedom)), abs=1e-9)
    assert found.difference == pytest.approx(float(series.mean()), abs=1e-9)
    assert found.freedom == pytest.approx(freedom)


def test_without_autocorrelation_it_is_the_t_test() -> None:
    differences = [0.5 + 0.2 * (-1) ** minute + 0.01 * (minute % 5) for minute in range(15)]
    by_scipy = scipy.stats.ttest_1samp(differences, 0, alternative="greater")

    assert compare_pairs(differences, [3.0] * 15).p_value == pytest.approx(by_scipy.pvalue, abs=1e-9)


@given(values, st.data())
def test_pairs_count_by_their_weights(differences: list[float], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 50), min_size=len(differences), max_size=len(differences)))
    series, scaled = np.array(differences), np.array(weights) * len(weights) / sum(weights)
    mean = float(np.average(series, weights=weights))
    parts = (series - mean) * scaled
    assume(float(np.abs(parts).max()) > 1e-3)
    found = compare_pairs(differences, weights)
    factor = inflation(parts)
    deviation = math.sqrt(float(np.var(parts, ddof=1)) / len(parts) * factor)
    freedom = effective_freedom(len(parts), factor)

    assert found.difference == pytest.approx(mean, abs=1e-9)
    assert found.deviation == pytest.approx(deviation, rel=1e-9)
    assert found.p_value == pytest.approx(float(scipy.stats.t.sf(mean / deviation, freedom)), abs=1e-9)


@given(values, st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_units_of_pairs_and_weights_do_not_matter(differences: list[float], unit: float, weight: float) -> None:
    assume(max(differences) - min(differences) > 1e-3)
    first = compare_pairs(differences, [1.0] * len(differences))
    second = compare_pairs([unit * each for each in differences], [weight] * len(differences))

    assert second.p_value == pytest.approx(first.p_value, abs=1e-9)
    assert second.difference == pytest.approx(unit * first.difference, rel=1e-9, abs=1e-9)


@given(values)
def test_swapped_pairs_have_the_opposite_result(differences: list[float]) -> None:
    assume(max(differences) - min(differences) > 1e-3)
    weights = [1.0] * len(differences)
    swapped = compare_pairs([-each for each in differences], weights)

    assert compare_pairs(differences, weights).p_value + swapped.p_value == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("difference", "p_value"), [(0.0, 1), (-0.3, 1), (0.3, 0)])
def test_constant_differences_are_certain(difference: float, p_value: float) -> None:
    assert compare_pairs([difference] * 5, [1.0, 2.0, 3.0, 2.0, 1.0]) == Comparison(p_value, difference, 0, 4)


def test_slow_noise_is_less_proof_than_fast_noise() -> None:
    fast = [0.1 + 0.2 * (-1) ** minute for minute in range(16)]
    slow = sorted(fast)

    assert compare_pairs(fast, [1.0] * 16).p_value < 0.05 < compare_pairs(slow, [1.0] * 16).p_value


@pytest.mark.parametrize("level", [0.015, 0.1, 0.375])
def test_a_detectable_difference_is_found_in_80_percent(level: float) -> None:
    normal = Comparison(0.5, 0, 2.0, math.inf)
    assert normal.detectable(level) == pytest.approx(
        2 * (scipy.stats.norm.isf(level) + scipy.stats.norm.ppf(0.8)), abs=1e-6
    )
    student = Comparison(0.5, 0, 2.0, 9)
    assert student.detectable(level) == pytest.approx(
        2 * (scipy.stats.t.isf(level, 9) + scipy.stats.norm.ppf(0.8)), abs=1e-6
    )


def test_minutes_are_merged_until_both_have_requests() -> None:
    green, blue, both = Counts(1, 10, 0, 0), Counts(0, 0, 2, 20), Counts(3, 30, 4, 40)

    assert merged([green, green, blue, both, blue]) == [Counts(2, 20, 2, 20), Counts(3, 30, 6, 60)]
    assert merged([both, both]) == [both, both]
    assert merged([green, green]) == []
    assert merged([]) == []
