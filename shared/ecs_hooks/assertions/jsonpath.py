"""JSONPath (RFC 9535). The library is imported on first use, since that takes longer than many a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from ecs_hooks.assertions.patterns import matches, pattern_problem
from ecs_hooks.assertions.re2_syntax import PatternError
from ecs_hooks.core.deadline import check_deadline
from ecs_hooks.core.formatting import json_equal
from ecs_hooks.core.json_text import JsonError, read_json

if TYPE_CHECKING:
    from jsonpath import JSONPathEnvironment, JSONPathMatch
    from jsonpath.exceptions import JSONPathError
    from jsonpath.parse import Parser
    from jsonpath.stream import TokenStream
    from jsonpath.token import Token

MAX_VALUES = 10_000
_LONGEST_PATTERN = 1000
_DOT = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\.", re.DOTALL)
"""A dot outside of a class, which matches no line break in an I-Regexp; or, in the group, what is left as it is."""


def check_path(path: str) -> str:
    """Return a path; raise ValueError if it is not valid."""
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415 - see above

    try:
        _environment().compile(path)
    except PatternError as error:
        raise ValueError(f"is not a valid JSONPath; {error}") from None
    except (JSONPathError, RecursionError) as error:
        raise ValueError(f"is not a valid JSONPath; {_reason(path, error)}") from None
    return path


def _reason(path: str, error: JSONPathError | RecursionError) -> str:
    """Return why a path is not valid, without names of the parser's tokens."""
    outside_strings = re.sub(r"'[^']*'|\"[^\"]*\"", "", path)
    if "=~" in outside_strings:
        return "=~ is not supported: write search(@.a, 'pattern')"
    if not path.startswith("$"):
        return "it must begin with $"
    token = getattr(error, "token", None)
    if token is None:
        return "it is nested too deeply"
    return f"error at character {token.index + 1}" if 0 <= token.index < len(path) else "it is incomplete"


JsonPath = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_path)]


def check_paths(paths: Iterable[str]) -> None:
    """Raise ValueError for the first path that is not valid."""
    for path in paths:
        try:
            check_path(path)
        except ValueError as error:
            raise ValueError(f"{path[:80]!r} {error}") from None


def find(path: str, document: Any) -> list[Any]:
    """Return all values at a path; raise ValueError for more than `MAX_VALUES`, or a document that is nested too deeply."""
    values = [match.obj for match in islice(_matches(path, document), MAX_VALUES + 1)]
    if len(values) > MAX_VALUES:
        raise ValueError(f"finds more than {MAX_VALUES} values")
    return values


def locations(path: str, document: Any) -> list[tuple[str | int, ...]]:
    """Return the names and indexes that locate each value at a path; raise ValueError as `find`."""
    return [tuple(match.parts) for match in _matches(path, document)]


def is_singular(path: str) -> bool:
    """Return whether a path can find one value at most."""
    from jsonpath import JSONPath  # noqa: PLC0415 - see above

    compiled = _environment().compile(path)
    return isinstance(compiled, JSONPath) and compiled.singular_query()


def _matches(path: str, document: Any) -> Iterator[JSONPathMatch]:
    from jsonpath import JSONPathMatch  # noqa: PLC0415 - see above
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415

    if isinstance(document, str):
        # The library would read it as JSON: the text "5" would be the number 5. A string has no children.
        if not getattr(_environment().compile(path), "segments", ()):
            yield JSONPathMatch(filter_context={}, obj=document, parent=None, path="$", parts=(), root=document)
        return
    try:
        yield from _environment().finditer(path, document)
    except (JSONPathError, RecursionError):
        raise ValueError("cannot be evaluated: the document is nested too deeply") from None


def _parser() -> type[Parser]:
    """Return the parser of paths with a deadline, and with exact numbers."""
    from jsonpath import segments as base  # noqa: PLC0415 - see above
    from jsonpath.exceptions import JSONPathSyntaxError  # noqa: PLC0415
    from jsonpath.filter import BaseExpression, IntegerLiteral  # noqa: PLC0415
    from jsonpath.parse import Parser  # noqa: PLC0415

    class Child(base.JSONPathChildSegment):
        def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
            return super().resolve(_containers(_before_deadline(nodes)))

    class Descendant(base.JSONPathRecursiveDescentSegment):
        def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
            for node in _before_deadline(nodes):
                for each in _containers(self._visit(node)):
                    yield from (found for selector in self.selectors for found in selector.resolve(each))

    class DeadlineParser(Parser):
        def parse_query(self, stream: TokenStream) -> Iterable[base.JSONPathSegment]:
            for each in super().parse_query(stream):
                segment = Descendant if isinstance(each, base.JSONPathRecursiveDescentSegment) else Child
                yield segment(env=each.env, token=each.token, selectors=each.selectors)

        def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
            token = stream.next()
            try:
                # The library rounds integers to doubles.
                return IntegerLiteral(value=read_json(token.value))
            except JsonError:
                raise JSONPathSyntaxError("invalid number", token=token) from None

        parse_float_literal = parse_integer_literal

    return DeadlineParser


@lru_cache(maxsize=1)
def _environment() -> JSONPathEnvironment:
    """Return RFC 9535's JSONPath with a deadline, and with RE2's regular expressions, whose time has a bound."""
    from jsonpath import JSONPathEnvironment, NodeList  # noqa: PLC0415 - see above
    from jsonpath.filter import BaseExpression, StringLiteral  # noqa: PLC0415
    from jsonpath.function_extensions import ExpressionType, FilterFunction  # noqa: PLC0415

    class RegexFunction(FilterFunction):
        arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the type of the base class
        return_type = ExpressionType.LOGICAL

        def __init__(self, *, whole: bool) -> None:
            self._whole = whole

        def __call__(self, value: object, pattern: object) -> bool:
            check_deadline()
            return isinstance(pattern, str) and _matches_pattern(pattern, value, whole=self._whole)

    class DeadlineEnvironment(JSONPathEnvironment):
        parser_class = _parser()

        def compare(self, left: object, operator: str, right: object) -> bool:
            if isinstance(left, bool) or isinstance(right, bool):  # which have no order
                operator = {"<": "", ">": "", "<=": "==", ">=": "=="}.get(operator, operator)
            return super().compare(left, operator, right)

        def _eq(self, left: object, right: object) -> bool:
            if NodeList in {type(left), type(right)}:
                return super()._eq(left, right)
            return json_equal(left, right)

        def check_well_typedness(self, token: Token, func: FilterFunction, args: list[BaseExpression]) -> None:
            super().check_well_typedness(token, func, args)
            if isinstance(func, RegexFunction) and isinstance(args[1], StringLiteral):
                problem = pattern_problem(args[1].value)
                if problem:
                    raise PatternError(f"{token.value}() has a regular expression that is not valid (RE2): {problem}")

    environment = DeadlineEnvironment(strict=True)
    environment.function_extensions["match"] = RegexFunction(whole=True)
    environment.function_extensions["search"] = RegexFunction(whole=False)
    return environment


def _matches_pattern(pattern: str, value: object, *, whole: bool) -> bool:
    """Return whether an I-Regexp (RFC 9485) matches a value; false for a pattern that is not valid, as RFC 9535 requires."""
    if len(pattern) > _LONGEST_PATTERN:
        return False
    translated = _DOT.sub(lambda found: found[1] or r"[^\n\r]", pattern)
    try:
        return matches(rf"\A(?:{translated})\z" if whole else translated, value)
    except PatternError:
        return False


def _containers(nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
    """Yield the nodes that can have children: the library would select slices of strings."""
    return (node for node in nodes if not isinstance(node.obj, str))


def _before_deadline(nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
    for node in nodes:
        check_deadline()
        yield node
