from __future__ import annotations

import pytest

from benchmarks.figures import row


def test_the_medians_are_compared_and_the_rounds_tell_how_they_spread() -> None:
    told = row("ours", [0.2, 0.1, 0.3, 0.2, 0.2], "theirs", [0.1] * 5, 1.5)

    assert (told["name"], told["baseline"], told["limit"]) == ("ours", "theirs", 1.5)
    assert (told["measured_ms"], told["baseline_ms"]) == (200, 100)
    assert told["ratio"] == pytest.approx(2)
    assert told["middle_half"] == pytest.approx([1.5, 2.5])


def test_one_round_has_no_spread() -> None:
    assert row("ours", [0.2], "theirs", [0.1], None)["middle_half"] == [2, 2]
