"""Expectations of a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, field_validator

from ecs_hooks.assertions.jsonpath import check_paths, find
from ecs_hooks.assertions.predicate import LiteralOrPredicate, Predicate
from ecs_hooks.assertions.status import ExpectedStatus, show_status, status_matches, status_ranges
from ecs_hooks.core.json_text import has_bom
from ecs_hooks.core.plan_model import LazyModel, PlanModel
from ecs_hooks.core.redaction import MASK, is_secret_name
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecs_hooks.assertions.query import Assertion
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.response import Response
else:
    Assertion = Annotated[Any, LazyModel("ecs_hooks.assertions.query:Assertion")]


class Unmet(NamedTuple):
    """An expectation that is not met.

    Parameters
    ----------
    what
        Its subject, such as `status` or `json $.state`.
    problem
        What is wrong, such as `500, expected 2xx`.
    warn
        Whether it is only a warning.
    """

    what: str
    problem: str
    warn: bool = False


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, Mapping | Predicate) else value


class Expect(PlanModel):
    """Expectations of a response; all must be met."""

    status: ExpectedStatus = "2xx"
    """Status code: `200`, a class `"2xx"`, a range `"200-299"`, or a list of these."""
    headers: dict[str, LiteralOrPredicate] = Field(default={})
    """Headers by name, in any case."""
    body: Annotated[
        tuple[Predicate, ...], BeforeValidator(_as_list, json_schema_input_type=Predicate | list[Predicate])
    ] = ()
    """Conditions for the body as text."""
    first_bytes: Annotated[int, Field(ge=0, le=1_048_576)] | None = None
    """For a response that does not end, such as server-sent events: evaluates its body as it is after so many bytes, at
    its end, or at the end of `timeout_seconds`, if a byte arrived by then; the connection is closed. With 0, only status
    and headers are evaluated."""
    json_values: dict[str, LiteralOrPredicate] = Field(default={}, alias="json")
    """Values of a JSON body by JSONPath (RFC 9535). A path must find at least one value, and each must be as expected."""
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    """Longest allowed time from the start of the connection to the last byte of the body, in the attempt that succeeded."""
    asserts: Annotated[tuple[Assertion, ...], Field(max_length=100)] = ()
    """Further assertions: a query, and conditions for its values. One with the query `status` replaces the default of the
    field `status`."""

    @field_validator("json_values")
    @classmethod
    def _are_valid_paths(cls, values: dict[str, Predicate]) -> dict[str, Predicate]:
        check_paths(values)
        return values

    @property
    def needs_body(self) -> bool:
        """Whether an expectation may be about the body."""
        return bool(self.body or self.json_values or self.asserts)

    def unmet(self, response: Response, redactor: Redactor) -> list[Unmet]:
        """Return the expectations that a response does not meet."""
        return [
            *self._unmet_status(response, redactor),
            *self._unmet_headers(response, redactor),
            *self._unmet_body(response, redactor),
            *self._unmet_json(response, redactor),
            *self._warned_of_mark(response),
            *self._unmet_latency(response),
            *self._unmet_asserts(response, redactor),
        ]

    def unfollowed(self, response: Response, redactor: Redactor) -> str:
        """Return a redirect that was neither followed nor expected, such as `status 302 to /login`; else empty."""
        location = response.headers.get("location")
        if not location or not 300 <= response.status <= 399 or self._is_redirect:  # noqa: PLR2004
            return ""
        return f"status {response.status} to {shown_location(location, redactor)}"

    @property
    def _is_redirect(self) -> bool:
        """Whether the response is expected to be a redirect."""
        if "status" in self.model_fields_set and all(
            low >= 300 and high <= 399  # noqa: PLR2004
            for low, high in status_ranges(self.status)
        ):
            return True
        names = [*self.headers, *(each.detail for each in self.asserts if each.query == "header")]
        return any(each.query in {"status", "location"} for each in self.asserts) or "location" in map(str.lower, names)

    def _unmet_status(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        is_default = "status" not in self.model_fields_set
        expected = response.usual_status if is_default else self.status
        asserted = is_default and any(each.query == "status" for each in self.asserts)
        if asserted or status_matches(expected, response.status):
            return
        location = response.headers.get("location")
        is_shown = location and 300 <= response.status <= 399  # noqa: PLR2004
        to = f" (redirects to {shown_location(location or '', redactor)})" if is_shown else ""
        yield Unmet("status", f"{response.status}{to}, expected {show_status(expected)}")

    def _unmet_headers(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        for name, predicate in self.headers.items():
            value = response.headers.get(name)
            shown = MASK if is_secret_name(name) else None
            problem = predicate.problem_among([] if value is None else [value], redactor, shown=shown, is_text=True)
            if problem:
                yield Unmet(f"header {redactor.mask(name)}", problem)

    def _unmet_body(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        if not self.body:
            return
        text, shown = response.text, f"{len(response.content)} bytes"
        for predicate in self.body:
            # For `exists`, an empty body counts as missing.
            values = [text] if text or not predicate.is_about_existence else []
            problem = predicate.problem_among(values, redactor, shown=shown, is_text=True)
            if problem:
                yield Unmet("body", problem)

    def _unmet_json(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        if not self.json_values:
            return
        try:
            document = response.json()
        except ContentError as error:
            yield Unmet("json", f"expected, but {error.message}")
            return
        for path, predicate in self.json_values.items():
            what = f"json {redactor.mask(path)[:80]}"
            try:
                values = find(path, document)
            except ValueError as error:
                yield Unmet(what, str(error))
                continue
            problem = predicate.problem_among(values, redactor, shown=MASK if is_secret_name(path) else None)
            if problem:
                yield Unmet(what, problem)

    def _warned_of_mark(self, response: Response) -> Iterator[Unmet]:
        reads_json = self.json_values or any(each.query == "jsonpath" for each in self.asserts)
        if reads_json and has_bom(response.content):
            yield Unmet("body", "begins with a byte order mark, which RFC 8259 forbids in JSON", warn=True)

    def _unmet_latency(self, response: Response) -> Iterator[Unmet]:
        milliseconds = response.latency * 1000
        if self.max_latency_ms is not None and milliseconds > self.max_latency_ms:
            yield Unmet("latency", f"{milliseconds:.0f} ms, expected at most {self.max_latency_ms:g} ms")

    def _unmet_asserts(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        for assertion in self.asserts:
            problem = assertion.problem_in(response, redactor)
            if problem:
                yield Unmet(redactor.mask(assertion.label), problem, assertion.warn)


def split_warnings(unmet: Sequence[Unmet]) -> tuple[list[Unmet], list[Unmet]]:
    """Return the failures and the warnings."""
    return [each for each in unmet if not each.warn], [each for each in unmet if each.warn]


def describe_warnings(warnings: Sequence[Unmet]) -> str:
    """Return the warnings as the end of a reason; empty if there are none."""
    return f"; warning: {describe(warnings)}" if warnings else ""


def describe(unmet: Sequence[Unmet]) -> str:
    """Return the unmet expectations in one line: the first in full, the others by name."""
    first, *others = unmet
    line = f"{first.what} {first.problem}"
    return f"{line}; also {', '.join(dict.fromkeys(each.what for each in others))}" if others else line


def shown_location(location: str, redactor: Redactor) -> str:
    """Return the URL in a `Location` header without query, fragment, credentials and other secrets."""
    url = location.split("?", 1)[0].split("#", 1)[0]
    scheme, separator, rest = url.rpartition("//")
    authority, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{authority.rpartition('@')[2] if separator else authority}{slash}{path}"
    return redactor.cut(shown, 80)
