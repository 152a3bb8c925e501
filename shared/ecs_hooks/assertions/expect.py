"""What an HTTP check expects of a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ecs_hooks.assertions.assertion import Assertion
from ecs_hooks.assertions.jsonpath import check_paths, find
from ecs_hooks.assertions.predicate import LiteralOrPredicate, Predicate
from ecs_hooks.assertions.status import ExpectedStatus, show_status, status_matches
from ecs_hooks.core.redaction import MASK, is_secret_name
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.response import Response


class Unmet(NamedTuple):
    """An expectation that does not hold.

    Parameters
    ----------
    what
        What it is about, such as `status` or `json $.state`.
    problem
        What is wrong with it, such as `500, expected 2xx`.
    warn
        Whether it only warns.
    """

    what: str
    problem: str
    warn: bool = False


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, Mapping | Predicate) else value


class Expect(BaseModel):
    """Everything that must hold of a response."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    status: ExpectedStatus = "2xx"
    """Status code: `200`, a class `"2xx"`, a range `"200-299"`, or a list of these."""
    headers: dict[str, LiteralOrPredicate] = {}
    """By name of the header, in any case."""
    body: Annotated[
        tuple[Predicate, ...], BeforeValidator(_as_list, json_schema_input_type=Predicate | list[Predicate])
    ] = ()
    """Conditions for the body as text."""
    json_values: dict[str, LiteralOrPredicate] = Field(default={}, alias="json")
    """By JSONPath (RFC 9535). Where a path finds several values, each must be as expected, and one must be found."""
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    """Longest time from the begin of the connection to the last byte of the body, in the attempt that succeeded."""
    asserts: Annotated[tuple[Assertion, ...], Field(max_length=100)] = ()
    """Everything else: assertions of a query and the conditions for what it finds. One about the status stands in for the
    default of `status`."""

    @field_validator("json_values")
    @classmethod
    def _are_paths(cls, values: dict[str, Predicate]) -> dict[str, Predicate]:
        check_paths(values)
        return values

    def unmet(self, response: Response, redactor: Redactor) -> list[Unmet]:
        """Return every expectation that a response does not meet.

        Parameters
        ----------
        response
            The response.
        redactor
            What knows the secrets.
        """
        return [
            *self._unmet_status(response),
            *self._unmet_headers(response, redactor),
            *self._unmet_body(response, redactor),
            *self._unmet_json(response, redactor),
            *self._unmet_latency(response),
            *self._unmet_asserts(response, redactor),
        ]

    def _unmet_status(self, response: Response) -> Iterator[Unmet]:
        asserted = "status" not in self.model_fields_set and any(each.query == "status" for each in self.asserts)
        if asserted or status_matches(self.status, response.status):
            return
        location = response.headers.get("location")
        to = f" (redirects to {_leads_to(location)})" if location and 300 <= response.status <= 399 else ""  # noqa: PLR2004
        yield Unmet("status", f"{response.status}{to}, expected {show_status(self.status)}")

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
            # An empty body counts as none where the question is whether there is one.
            values = [text] if text or predicate.exists is None else []
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

    def _unmet_latency(self, response: Response) -> Iterator[Unmet]:
        milliseconds = response.latency * 1000
        if self.max_latency_ms is not None and milliseconds > self.max_latency_ms:
            yield Unmet("latency", f"{milliseconds:.0f} ms, expected at most {self.max_latency_ms:g} ms")

    def _unmet_asserts(self, response: Response, redactor: Redactor) -> Iterator[Unmet]:
        for assertion in self.asserts:
            problem = assertion.problem_in(response, redactor)
            if problem:
                yield Unmet(redactor.mask(assertion.label), problem, assertion.warn)


def parted(unmet: Sequence[Unmet]) -> tuple[list[Unmet], list[Unmet]]:
    """Return those that fail, and those that only warn."""
    return [each for each in unmet if not each.warn], [each for each in unmet if each.warn]


def describe_warnings(warnings: Sequence[Unmet]) -> str:
    """Return what is added to a reason; empty where there are none."""
    return f"; warning: {describe(warnings)}" if warnings else ""


def describe(unmet: Sequence[Unmet]) -> str:
    """Return all that is unmet in one line: the first in full, the others by name."""
    first, *others = unmet
    line = f"{first.what} {first.problem}"
    return f"{line}; also {', '.join(dict.fromkeys(each.what for each in others))}" if others else line


def _leads_to(location: str) -> str:
    """Return the address in a `Location` header without anything behind its path, and without credentials."""
    address = location.split("?", 1)[0].split("#", 1)[0]
    scheme, separator, rest = address.rpartition("//")
    authority, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{authority.rpartition('@')[2] if separator else authority}{slash}{path}"
    return shown if len(shown) <= 80 else f"{shown[:80]}..."  # noqa: PLR2004
