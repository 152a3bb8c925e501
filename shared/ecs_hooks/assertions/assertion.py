"""Assertions about a response: a query, and a predicate for what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.assertions.predicate import LiteralOrPredicate, Predicate  # noqa: F401 - what fields of Predicate refer to
from ecs_hooks.assertions.query import Query

if TYPE_CHECKING:
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.response import Response


class Assertion(Query, Predicate):
    """A query with the conditions for each value that it finds; one has to be found unless `exists` is false."""

    warn: bool = False
    """Whether it only warns: what does not hold is told, and fails nothing."""

    def problem_in(self, response: Response, redactor: Redactor) -> str | None:
        """Return what is wrong with a response, such as `is 500, expected 200`; None where nothing is."""
        found = self.find(response)
        if found.problem:
            return found.problem
        # An empty body counts as none where the question is whether there is one.
        is_body = self.query == "body" and not self.filters
        values = [each for each in found.values if each or not is_body or self.exists is None]
        return self.problem_among(values, redactor, shown=self.shown(found, redactor), is_text=found.is_text)
