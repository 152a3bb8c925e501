"""Filters that need to be told something, as a plan writes them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.assertions.filters.dates import format_problem
from ecs_hooks.assertions.jsonpath import check_path
from ecs_hooks.assertions.patterns import check_pattern, check_replacement
from ecs_hooks.http.response import text_encoding


def _is_charset(name: str) -> str:
    if text_encoding(name) is None:
        message = "is no known charset, such as latin-1"
        raise ValueError(message)
    return name


def _is_format(pattern: str) -> str:
    problem = format_problem(pattern)
    if problem:
        raise ValueError(problem)
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_pattern)]
Path = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_path)]
DateFormat = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_is_format)]
Charset = Annotated[str, Field(max_length=40), AfterValidator(_is_charset)]
Text = Annotated[str, Field(max_length=1000)]
SomeText = Annotated[str, Field(min_length=1, max_length=1000)]


class Replacement(BaseModel):
    """A text that takes the place of another."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    old: SomeText
    """What is replaced, wherever it stands."""
    new: Text
    """What stands there then."""


class RegexReplacement(BaseModel):
    r"""A text that takes the place of all that a regular expression finds."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    pattern: Pattern
    """The regular expression (RE2, as of `matches`)."""
    new: Text
    r"""What stands there then; `\1` is the first group, `\g<name>` the one of this name."""

    @model_validator(mode="after")
    def _knows_its_groups(self) -> Self:
        check_replacement(self.pattern, self.new)
        return self


class Filter(BaseModel):
    """A filter and what it is told: exactly one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    charset_decode: Charset | None = None
    """Bytes in this charset, such as `latin-1`, as text."""
    date_format: DateFormat | None = None
    """A date as text in this format, such as `%Y-%m-%d`, in UTC."""
    jsonpath: Path | None = None
    """What this JSONPath finds in JSON; an array where it may find several."""
    nth: Annotated[int, Field(strict=True)] | None = None
    """An item of an array: 0 is the first, -1 the last."""
    regex: Pattern | None = None
    """The first group of what this regular expression finds in a text, or all of it where it has none."""
    replace: Replacement | None = None
    """A text with `new` in the place of `old`."""
    replace_regex: RegexReplacement | None = None
    """A text with `new` in the place of all that `pattern` finds."""
    split: SomeText | None = None
    """An array of what stands between these separators."""
    to_date: DateFormat | None = None
    """A date that a text holds in this format; `"to_date"` alone reads ISO 8601 and the dates of HTTP."""
    url_query_param: SomeText | None = None
    """The parameter of this name in an address."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.argument is None:
            message = f"give exactly one of {', '.join(type(self).model_fields)}"
            raise ValueError(message)
        return self

    @property
    def name(self) -> str:
        """Its name."""
        return next(iter(self.model_fields_set))

    @property
    def argument(self) -> Any:
        """What it is told."""
        return getattr(self, self.name)
