"""Filters: they transform the value of a query, one after the other, before it is compared or captured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, create_model, model_validator

from ecs_hooks.assertions.filters import date_functions as _date_functions  # noqa: F401 - registers its filters
from ecs_hooks.assertions.filters.functions import check_size
from ecs_hooks.assertions.filters.registry import FILTERS, FilterError, NothingFoundError
from ecs_hooks.core.plan_model import PlanModel

__all__ = [
    "WITHOUT_ARGUMENT",
    "Filter",
    "FilterError",
    "NothingFoundError",
    "apply",
    "check_last",
    "is_public",
    "returns_number",
    "takes",
]

WITHOUT_ARGUMENT = sorted(name for name, each in FILTERS.items() if each.argument is None or each.optional)
"""The filters that a plan can write as their names alone."""


class _Filter(PlanModel):
    """A filter with its argument; exactly one of these fields."""

    if TYPE_CHECKING:
        # Type checkers do not know the fields, which the registry makes.
        def __init__(self, **argument: Any) -> None: ...

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.argument is None:
            raise ValueError(f"requires exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def name(self) -> str:
        """The name of the filter."""
        return next(iter(self.model_fields_set))

    @property
    def argument(self) -> Any:
        """The argument."""
        return getattr(self, self.name)


_FIELDS: dict[str, Any] = {
    name: (FILTERS[name].argument | None, Field(default=None, description=FILTERS[name].description))
    for name in sorted(FILTERS)
    if FILTERS[name].argument is not None
}
Filter: type[_Filter] = create_model(
    "Filter", __base__=_Filter, __doc__=_Filter.__doc__, __module__=__name__, **_FIELDS
)


def _name(each: str | _Filter) -> str:
    return each if isinstance(each, str) else each.name


def check_last(last: str | _Filter) -> None:
    """Raise ValueError for a last filter whose result cannot be compared."""
    problem = FILTERS[_name(last)].not_last
    if problem:
        raise ValueError(f"the last filter, {_name(last)}, {problem}")


def takes(first: str | _Filter) -> frozenset[str]:
    """Return the types that a filter takes besides strings: `array`, `bytes`."""
    return FILTERS[_name(first)].takes


def returns_number(last: str | _Filter) -> bool:
    """Return whether the result of a filter is a number."""
    return FILTERS[_name(last)].apply.__annotations__["return"] in {"int", "float"}


def is_public(filters: Sequence[str | _Filter]) -> bool:
    """Return whether the result of filters may be shown even if the value is a secret."""
    return any(FILTERS[_name(each)].public for each in filters)


def apply(filters: Sequence[str | _Filter], value: Any) -> Any:
    """Return a value after filters.

    Raises
    ------
    FilterError
        If a filter cannot be applied; the message names the filter, and never contains the value.
    NothingFoundError
        If a filter finds nothing.
    """
    for each in filters:
        arguments = () if isinstance(each, str) else (each.argument,)
        try:
            value = FILTERS[_name(each)].apply(value, *arguments)
            if isinstance(value, str | bytes):
                check_size(len(value))
        except FilterError as error:
            raise FilterError(f"filter {_name(each)}: {error}") from None
    return value
