"""The base of all queries of a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, field_validator

from ecs_hooks.core.plan_model import LazyModel, TaggedModel
from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.assertions.filters import Filter
    from ecs_hooks.http.response import Response

    AnyFilter = str | Filter
else:
    AnyFilter = Annotated[
        Any,
        LazyModel(
            "ecs_hooks.assertions.filters:Filter",
            or_string="ecs_hooks.assertions.filters:WITHOUT_ARGUMENT",
            example='an object such as {"nth": 0}',
        ),
    ]


class Found(NamedTuple):
    """The values that a query finds.

    Parameters
    ----------
    values
        The values; empty if there are none.
    is_text
        Whether values arrive as text, such as headers, so that numbers are read from it.
    hidden
        The text to show in place of a value that must not be shown, such as the size of a body.
    problem
        Why the query cannot be evaluated; empty if it can.
    sources
        The values before filters; empty without filters.
    """

    values: Sequence[Any]
    is_text: bool = False
    hidden: str | None = None
    problem: str = ""
    sources: Sequence[Any] = ()


class Query(TaggedModel):
    """A query of a response. Each subclass with a `query` of its own is a query that a plan can name."""

    tag_field: ClassVar[str] = "query"
    detail_field: ClassVar[str] = ""
    """The field that is part of the label, such as the name of a header; empty if there is none."""

    query: str
    """Name of the query."""
    filters: Annotated[tuple[AnyFilter, ...], Field(max_length=20)] = ()
    """Filters that transform the value, in this order: the name of a filter, or an object with its name and argument. A
    `jsonpath` that can find several values (`$.orders[*]`) passes them as one array."""

    @field_validator("filters")
    @classmethod
    def _end_with_a_comparable_value(cls, filters: tuple[str | Filter, ...]) -> tuple[str | Filter, ...]:
        if filters:
            from ecs_hooks.assertions.filters import check_last  # noqa: PLC0415 - a plan without filters need not load it

            check_last(filters[-1])
        return filters

    @property
    def detail(self) -> str:
        """The value of `detail_field`."""
        return str(getattr(self, self.detail_field)) if self.detail_field else ""

    @property
    def label(self) -> str:
        """The query as reasons show it, such as `header Content-Type` or `duration tls`."""
        names = [each if isinstance(each, str) else each.name for each in self.filters[:5]]
        return " ".join([self.query, *filter(None, [self.detail[:80]]), *names])

    @property
    def finds_numbers(self) -> bool:
        """Whether each value is a number, after the filters."""
        if not self.filters:
            return self._is_of_numbers
        from ecs_hooks.assertions.filters import returns_number  # noqa: PLC0415 - as above

        return returns_number(self.filters[-1])

    @property
    def _is_of_numbers(self) -> bool:
        """Whether each value is a number, before the filters."""
        return False

    @property
    def is_secret(self) -> bool:
        """Whether names in the query say that its value is a secret."""
        arguments = [each.argument for each in self.filters if not isinstance(each, str)]
        return any(map(is_secret_name, [self.detail, *(each for each in arguments if isinstance(each, str))]))

    def find(self, response: Response) -> Found:
        """Return the values in a response, after the filters."""
        found = self._find(response)
        if not self.filters or found.problem:
            return found
        from ecs_hooks.assertions.filters import FilterError, NothingFoundError, apply, is_public  # noqa: PLC0415 - as above

        sources = self._sources(found, response)
        hidden = None if found.hidden is None or is_public(self.filters) else MASK
        try:
            values = [apply(self.filters, each) for each in sources]
        except FilterError as error:
            return Found([], problem=str(error))
        except NothingFoundError:
            values = []
        return Found(values, is_text=True, hidden=hidden, sources=sources)

    if TYPE_CHECKING:
        # Each query has its own.
        def _find(self, response: Response) -> Found: ...

    def _sources(self, found: Found, _: Response) -> Sequence[Any]:
        """Return the values that filters get, one after the other."""
        return found.values

    @property
    def _first_takes(self) -> frozenset[str]:
        """The types that the first filter takes besides others: `array`, `bytes`."""
        from ecs_hooks.assertions.filters import takes  # noqa: PLC0415 - as above

        return takes(self.filters[0])

    def shown(self, found: Found, redactor: Redactor) -> str | None:
        """Return the text to show in place of the values found; None if they may be shown.

        A filter can turn a secret that the redactor knows into one that it does not know.
        """
        if self.is_secret:
            return MASK
        if found.sources:
            from ecs_hooks.assertions.filters import is_public  # noqa: PLC0415 - as above

            if not is_public(self.filters) and redactor.knows(found.sources):
                return MASK
        return found.hidden
