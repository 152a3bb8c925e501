from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.core.response import MAX_REASON, HookResponse, HookStatus, one_line


def test_the_keys_are_exactly_those_that_ecs_reads() -> None:
    response = HookResponse(HookStatus.IN_PROGRESS, "waits", 60, {"a": 1})

    assert response.to_dict() == {
        "hookStatus": "IN_PROGRESS",
        "callBackDelay": 60,
        "hookDetails": {"a": 1},
        "reason": "waits",
    }


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
def test_a_final_answer_is_a_status_and_a_reason(status: str) -> None:
    assert HookResponse(HookStatus(status)).to_dict() == {"hookStatus": status}


@pytest.mark.parametrize("status", [HookStatus.SUCCEEDED, HookStatus.FAILED])
@pytest.mark.parametrize("more", [{"call_back_delay": 30}, {"hook_details": {}}])
def test_delay_and_details_go_with_in_progress_only(status: HookStatus, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="require IN_PROGRESS, not"):
        HookResponse(status, **more)


@pytest.mark.parametrize("delay", [0, -1, 86_401, 1.5, True, "30"])
def test_a_delay_is_a_whole_number_of_seconds_of_a_day(delay: Any) -> None:
    with pytest.raises(ValueError, match="callBackDelay must be a whole number"):
        HookResponse(HookStatus.IN_PROGRESS, call_back_delay=delay)


def test_another_status_is_refused() -> None:
    with pytest.raises(ValueError, match="PENDING"):
        HookResponse("PENDING")  # type: ignore[arg-type]


@given(st.text())
def test_a_reason_is_one_printable_line_of_bounded_length(text: str) -> None:
    line = one_line(text)

    assert len(line) <= MAX_REASON
    assert line.isprintable()
    line.encode()


def test_a_long_reason_says_that_it_is_cut() -> None:
    assert one_line("x" * 5000).endswith("...")
    assert one_line("half a pair \ud800\nand a bell \a") == "half a pair ? and a bell ?"
