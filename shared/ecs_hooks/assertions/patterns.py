r"""Regular expressions by RE2: linear time, bounded memory.

The syntax is RE2's, with translations from Python and JavaScript (JSON Schema): `\uXXXX`, `\cX`, `\Z`, `[\b]`, `{,n}`, octal
escapes. `$` accepts one final line feed, as in Python. `\w`, `\d`, `\s` and `\b` are ASCII. All other syntax is refused with a
reason, which never contains the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ecs_hooks.assertions.re2_syntax import MAX_REPEAT, SURROGATE, PatternError, Translation, unsupported
from ecs_hooks.core.deadline import check_deadline

MAX_MEMORY = 8 << 20
"""Memory limit of one compiled pattern in bytes, caches included."""

# A string: a plan without regular expressions need not compile it.
_TEMPLATE = (
    r"(?s)\\(?:(?P<octal>[0-3][0-7]{2}|0[0-7]?)|(?P<number>[1-9][0-9]?)|g<(?P<group>\w+)>|x(?P<hex>[0-9A-Fa-f]{2})"
    r"|u(?P<unicode>[0-9A-Fa-f]{4})|(?P<other>.?))"
)
_CONTROLS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ERRORS = {
    "missing ]": "a [ has no ]; write \\[ for the character itself, or (?s:.) for [^]",
    "missing )": "a ( has no ); write \\( for the character itself",
    "unexpected )": "a ) has no (; write \\) for the character itself",
    "no argument for repetition operator": "*, +, ? or {n} repeats nothing; write \\ before it for the character itself",
    "bad repetition operator": "two repetition operators in a row are not supported; put the first into (?:...)",
    "invalid repetition size": f"a repetition count is above {MAX_REPEAT} (counts of nested groups multiply), or its "
    "minimum is above its maximum",
    "invalid character class range": "a range or a class is unknown; write ranges in ascending order, and properties as "
    "short categories (\\p{L}) or scripts (\\p{Greek})",
    "invalid escape sequence": "an escape sequence is unknown or not allowed in [...]",
    "trailing \\": "it ends with \\; write \\\\ for the character itself",
    "pattern too large - compile failed": f"it needs more than {MAX_MEMORY >> 20} MiB of memory; lower its repetition "
    "counts",
}


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is not valid, such as `look-ahead (?=...) is not supported; ...`; None if it is."""
    try:
        _compiled(pattern)
    except PatternError as error:
        return str(error)
    return None


def check_pattern(pattern: str) -> str:
    """Return a pattern; raise ValueError if it is not valid."""
    problem = pattern_problem(pattern)
    if problem:
        raise ValueError(f"is not a valid regular expression (RE2): {problem}")
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_pattern)]


def matches(pattern: str, actual: Any) -> bool:
    """Return whether a value is a string that a pattern matches somewhere."""
    return isinstance(actual, str) and _compiled(pattern).bare.search(_encodable(actual)) is not None


def first_group(pattern: str, text: str) -> list[str]:
    """Return the first group of the first match, or the whole match if the pattern has no groups; empty without a match."""
    compiled, text = _compiled(pattern), _encodable(text)
    for spans in compiled.found(text):
        begin, end = spans[1 if compiled.groups else 0]
        return [] if begin < 0 else [text[begin:end]]
    return []


def replaced(pattern: str, new: str, text: str) -> Iterator[str]:
    r"""Yield the parts of a text with all matches replaced; `\1` and `\g<name>` in `new` are groups."""
    compiled, text = _compiled(pattern), _encodable(text)
    template = compiled.template(new)
    at = 0
    for spans in compiled.found(text):
        # RE2 is linear for one match, but each match can read the rest of the text again.
        check_deadline()
        begin, end = spans[0]
        yield text[at:begin]
        for part in template:
            yield part if isinstance(part, str) else text[slice(*spans[part])] if spans[part][0] >= 0 else ""
        at = end
    yield text[at:]


def check_replacement(pattern: str, new: str) -> None:
    """Raise ValueError if a replacement is not valid, or names a group that the pattern does not have."""
    _compiled(pattern).template(new)


class _Pattern:
    """A compiled pattern.

    Parameters
    ----------
    translation
        The pattern in RE2's syntax.

    Attributes
    ----------
    groups
        The number of groups in the original pattern.
    bare
        The pattern without its groups, which RE2 searches fastest.
    """

    def __init__(self, translation: Translation) -> None:
        self._translation = translation
        self.groups = len(translation.groups) - 1
        self.bare = _re2(translation.text, never_capture=True)

    @cached_property
    def _full(self) -> Any:
        return _re2(self._translation.text)

    def found(self, text: str) -> Iterator[list[tuple[int, int]]]:
        """Yield the spans of each match: of the whole match and of each group, (-1, -1) for a group without a match."""
        last = len(text) - 1
        for match in self._full.finditer(text):
            spans = [match.span(group) for group in self._translation.groups]
            if any(match.span(end)[0] >= 0 for end in self._translation.ends):
                # The line feed that `$` accepts is not part of the match.
                spans = [(min(begin, last), min(end, last)) for begin, end in spans]
            yield spans

    def template(self, new: str) -> list[str | int]:
        """Return the parts of a replacement: texts, and numbers of groups."""
        parts: list[str | int] = []
        at = 0
        for found in re.finditer(_TEMPLATE, new):
            parts += [new[at : found.start()], self._part(found)]
            at = found.end()
        return [*parts, new[at:]]

    def _part(self, found: re.Match[str]) -> str | int:
        kind = found.lastgroup or ""
        value = found[kind]
        match kind:
            case "octal":
                return chr(int(value, 8))
            case "hex" | "unicode":
                return chr(int(value, 16))
            case "number" | "group":
                number = int(value) if value.isdecimal() else self._translation.names.get(value, -1)
                if not 0 <= number <= self.groups:
                    raise PatternError(f"new: names a group that the pattern does not have; it has {self.groups}")
                return number
            case _ if value in _CONTROLS:
                return _CONTROLS[value]
            case _ if value and not (value.isascii() and value.isalnum()):
                return found[0]
            case _:
                raise PatternError("new: is not a valid replacement; write \\\\ for a backslash")


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> _Pattern:
    return _Pattern(Translation(pattern))


def _re2(text: str, *, never_capture: bool = False) -> Any:
    import re2  # noqa: PLC0415 - a plan without regular expressions need not load it

    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False  # RE2 would write the pattern to stderr
    options.never_capture = never_capture
    try:
        return re2.compile(text, options)
    except re2.error as error:
        kind, _, operator = error.args[0].decode(errors="replace").partition(": ")
        if kind == "bad repetition operator" and operator.endswith("+"):
            raise unsupported("possessive quantifier (*+, ++, ?+)", "remove the second +") from None
        # The text after the kind is a part of the pattern, which may be a secret.
        raise PatternError(_ERRORS.get(kind, kind)) from None


def _encodable(text: str) -> str:
    """Return a text with U+FFFD in place of lone surrogates, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return re.sub(SURROGATE, "\ufffd", text)
    return text
