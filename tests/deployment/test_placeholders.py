from __future__ import annotations

from typing import Any, cast

import pytest

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.placeholders import fill_placeholders, for_revision, literal_text, placeholders


class Named:
    """The names of a deployment."""

    cluster = "prod"
    service = "web"


@pytest.mark.parametrize(
    ("text", "names", "filled"),
    [
        ("/orders/{{id}}", [], "/orders/{id}"),
        ("{cluster}/{service}", ["cluster", "service"], "prod/web"),
        ("{{cluster}}", [], "{cluster}"),
        ("{{{cluster}}}", ["cluster"], "{prod}"),
        ("{{{{id}}}}", [], "{{id}}"),
        ("{{}}{{", [], "{}{"),
        ("a{b", [], "a{b"),
        ("a}b", [], "a}b"),
        ("", [], ""),
    ],
)
def test_a_brace_that_is_written_twice_is_a_literal_brace(text: str, names: list[str], filled: str) -> None:
    assert placeholders(text) == names
    assert fill_placeholders(text, cast("Deployment", Named())) == filled


@pytest.mark.parametrize("text", ["/orders/{id}", "{}", "{{{id}}}", "{ cluster }"])
def test_an_unknown_placeholder_is_refused_with_the_form_of_a_literal_brace(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a placeholder; allowed: .*; a literal brace is written twice"):
        placeholders(text)


def test_the_literal_text_has_no_placeholders() -> None:
    assert literal_text("a{cluster}b{{c}}") == "ab{c}"


def test_the_revision_of_a_comparison_is_a_placeholder_only_in_single_braces() -> None:
    assert for_revision("{revision.target_group} {{revision.x}} {cluster}", "green") == (
        "{green.target_group} {{revision.x}} {cluster}"
    )
    fields: dict[str, Any] = {"metric": "Errors", "dimensions": {"a": "{{revision.target_group}}"}}
    with pytest.raises(ValueError, match=r"must contain \{revision.target_group\}"):
        ComparedMetric(**fields)
    fields["dimensions"]["b"] = "{revision.target_group}"
    assert ComparedMetric(**fields).dimensions_of("blue") == {
        "a": "{{revision.target_group}}",
        "b": "{blue.target_group}",
    }
