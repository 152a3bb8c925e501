"""Assertions: a query of a response, and conditions for its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

# A union consists of the subclasses that are defined.
from ecs_hooks.assertions import exchange_queries as _exchange_queries  # noqa: F401
from ecs_hooks.assertions import payload_queries as _payload_queries  # noqa: F401
from ecs_hooks.assertions.base_query import Query
from ecs_hooks.assertions.predicate import LiteralOrPredicate, Predicate  # noqa: F401 - a type of Predicate's fields
from ecs_hooks.core.redaction import Redactor

if TYPE_CHECKING:
    from ecs_hooks.http.response import Response

__all__ = ["Assertion", "Query"]


class Assertion(Query, Predicate):
    """A query with conditions for each value that it finds. At least one value is required unless `exists` is false."""

    warn: bool = False
    """Whether a failure is only a warning."""

    if TYPE_CHECKING:
        # Type checkers do not know the fields of the class that `query` selects.
        def __init__(self, *, query: str, **fields: Any) -> None: ...

    @model_validator(mode="after")
    def _compares_numbers_with_numbers(self) -> Self:
        if self.finds_numbers:
            self.check_numeric(self.label)
        return self

    def problem_in(self, response: Response, redactor: Redactor) -> str | None:
        """Return what is wrong with a response, such as `is 500, expected 200`; None if nothing is."""
        found = self.find(response)
        if found.problem:
            return found.problem
        # For `exists`, an empty body counts as missing.
        is_body = self.query == "body" and not self.filters
        values = [each for each in found.values if each or not (is_body and self.is_about_existence)]
        return self.problem_among(values, redactor, shown=self.shown(found, redactor), is_text=found.is_text)
