from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.assertions.status import show_status, status_matches, status_range


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (200, (200, 200)),
        (200.0, (200, 200)),
        ("204", (204, 204)),
        ("2xx", (200, 299)),
        ("5XX", (500, 599)),
        ("200-204", (200, 204)),
        ("200 - 399", (200, 399)),
    ],
)
def test_a_rule_is_a_code_a_class_or_a_range(rule: Any, expected: tuple[int, int]) -> None:
    assert status_range(rule) == expected


@pytest.mark.parametrize("rule", [0, 99, 600, True, None, 200.5, "", "6xx", "xx", "299-200", "20", "2000", {}, "٢٠٠"])
def test_invalid_rules_are_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match="must be a status code such as 200"):
        status_range(rule)


@pytest.mark.parametrize("status", [[], [200, "no"], "no", None])
def test_invalid_statuses_of_a_plan_are_refused(status: Any) -> None:
    with pytest.raises(ValueError, match=r"status\n.*(must|requires) "):
        Expect.model_validate({"status": status})


def test_one_rule_of_a_list_is_enough() -> None:
    assert status_matches([200, "3xx"], 302)
    assert not status_matches([200, "3xx"], 404)
    assert show_status([200, "3xx"]) == "200 or 3xx"


def test_a_code_with_a_fraction_of_zero_is_shown_as_a_code() -> None:
    assert show_status([200.0, "3xx"]) == "200 or 3xx"
