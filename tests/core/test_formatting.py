from __future__ import annotations

import pytest

from ecs_hooks.core.formatting import counted, listed


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks"), (1.0, "1 task"), (1234567.0, "1234567 tasks")]
)
def test_a_number_and_its_noun(number: float, told: str) -> None:
    assert counted(number, "task") == told


def test_a_list_that_is_cut() -> None:
    assert listed(["a", "b"], 2) == "a; b"
    assert listed(["a", "b", "c", "d"], 2) == "a; b; and 2 more"
    assert listed(["a", "b", "c"], 2, ", ", " and ") == "a, b and 1 more"
    assert listed([], 2) == ""
