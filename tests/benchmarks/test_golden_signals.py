from __future__ import annotations

import pytest

from benchmarks import golden_signals


@pytest.mark.parametrize("limit", [1.0, 5.0])
def test_the_guarantee_at_three_hundred_requests_a_minute(limit: float) -> None:
    row = golden_signals.measure(limit, 300, 5, runs=500)

    assert row.at_half <= 1
    assert row.at_limit_early <= 1
    assert row.missed_at_twice <= 1
    assert row.missed_at_half_of_all == 0


def test_the_table_has_a_row_for_each_situation() -> None:
    lines = golden_signals.table(runs=2).splitlines()

    assert len(lines) == 2 + len(golden_signals.LIMITS) * len(golden_signals.TRAFFIC) * len(golden_signals.WINDOWS)
    assert {line.count("|") for line in lines} == {8}
