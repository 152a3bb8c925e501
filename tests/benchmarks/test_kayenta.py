from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from benchmarks.judgement.kayenta import Settings, classify, shift_interval

DATA = json.loads((Path(__file__).parent / "data" / "kayenta_classifier.json").read_text())


def settings(case: dict[str, Any]) -> Settings:
    effect, critical = (case[name] and tuple(case[name]) for name in ("effect_size_thresholds", "critical_thresholds"))
    return Settings(
        direction=case["direction"],
        confidence=case["confidence"],
        tolerance=case["tolerance"],
        is_critical=case["is_critical"],
        replaces_nan=case["nan_strategy"] == "replace",
        effect_sizes=effect,
        critical_sizes=critical,
        measure=case["effect_size_measure"],
    )


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: str(case["id"]))
def test_the_cases_of_kayentas_own_suite(case: dict[str, Any]) -> None:
    found = classify(case["experiment"], case["control"], settings(case))

    assert found.label == (case["expected"] or "Nodata")
    if case["expected_critical"] is not None:
        assert found.critical is case["expected_critical"]


def by_roots(first: list[float], second: list[float], confidence: float) -> tuple[float, float, float]:
    """Return the interval as `wilcox.test` of R finds it: the roots of the statistic as a function of the shift."""
    quantile = scipy.stats.norm.ppf(0.5 + confidence / 2)

    def statistic(shift: float, correction: float, limit: float) -> float:
        ranks = scipy.stats.rankdata(np.concatenate([np.array(first) - shift, second]))
        count, others = len(first), len(second)
        total = count + others
        excess = ranks[:count].sum() - count * (count + 1) / 2 - count * others / 2
        ties = sum(float(tied) ** 3 - tied for tied in np.unique(ranks, return_counts=True)[1])
        deviation = np.sqrt(count * others / 12 * (total + 1 - ties / (total * (total - 1))))
        return float((excess - correction) / deviation - limit)

    least, most = min(first) - max(second), max(first) - min(second)

    def root(correction: float, limit: float) -> float:
        if statistic(least, correction, limit) <= 0:
            return least
        if statistic(most, correction, limit) >= 0:
            return most
        return float(scipy.optimize.brentq(statistic, least, most, (correction, limit), xtol=1e-9))

    return root(0.5, quantile), root(0, 0), root(-0.5, -quantile)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_of_the_shift_is_that_of_r(seed: int) -> None:
    random = np.random.default_rng(seed)
    first = list(np.round(random.lognormal(0.2, 1, 3 + seed), 3))
    second = list(np.round(random.lognormal(0, 1, 18 - seed // 2), 3))

    low, shift, high = shift_interval(first, second, 0.98)
    expected = by_roots(first, second, 0.98)
    assert (low, high) == pytest.approx((expected[0], expected[2]), abs=1e-6)
    # The root is anywhere between the two differences in the middle.
    assert shift == pytest.approx(expected[1], abs=0.2)


def test_the_source_of_the_cases_is_with_them() -> None:
    assert "spinnaker/kayenta" in DATA["source"]
    assert len(DATA["cases"]) == 34
