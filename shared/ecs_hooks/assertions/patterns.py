r"""Regular expressions by RE2: the time is linear in the text, the memory of each is bounded.

The syntax is RE2's. Of the syntax of Python and of JavaScript (JSON Schema), what RE2 can do under another name is
translated: `\uXXXX`, `\cX`, `\Z`, `[\b]`, `{,n}`, octal escapes. `$` accepts one final line feed, as in Python. `\w`, `\d`,
`\s` and `\b` are ASCII. Everything else that RE2 does not have is refused with a reason, which never contains the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from ecs_hooks.core.deadline import check_deadline

MAX_MEMORY = 8 << 20
"""Bytes that one compiled pattern may use, caches included."""
MAX_REPEAT = 1000
"""The largest repetition count of RE2."""

# As texts: a plan without regular expressions need not compile them.
_SURROGATE = "[\ud800-\udfff]"
_COUNT = r"\{([0-9]*)(?:(,)([0-9]*))?\}"
_FLAGS = r"\(\?([A-Za-z]*)(?:-([A-Za-z]+))?([:)])"
_NAMED = r"\(\?P?<(\w+)>"
_POSIX = r"\[:\^?\w+:\]"
_PROPERTY = r"(?s)\\[pP](?:\{[^}]*\}|.)"
_CODE = r"\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,8})\}|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\})"
_OCTAL = r"\\([0-3][0-7]{2}|0[0-7]?)"
_OCTAL_IN_CLASS = r"\\([0-3][0-7]{2}|[0-7]{1,2})"
_CONTROL = r"\\c([A-Za-z])"
_LOW_SURROGATE = r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"
_TEMPLATE = (
    r"(?s)\\(?:(?P<octal>[0-3][0-7]{2}|0[0-7]?)|(?P<number>[1-9][0-9]?)|g<(?P<group>\w+)>|x(?P<hex>[0-9A-Fa-f]{2})"
    r"|u(?P<unicode>[0-9A-Fa-f]{4})|(?P<other>.?))"
)
_CONTROLS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}

_IN_PLACE_OF_LOOKING = "write the condition as an assertion of its own (matches, not), or match the text around it"
_GROUPS = (
    ("(?=", "look-ahead (?=...)", _IN_PLACE_OF_LOOKING),
    ("(?!", "negative look-ahead (?!...)", _IN_PLACE_OF_LOOKING),
    ("(?<=", "look-behind (?<=...)", _IN_PLACE_OF_LOOKING),
    ("(?<!", "negative look-behind (?<!...)", _IN_PLACE_OF_LOOKING),
    ("(?>", "atomic group (?>...)", "write (?:...)"),
    ("(?|", "branch reset (?|...)", "write (?:...)"),
    ("(?#", "comment (?#...)", "remove it"),
    ("(?(", "conditional (?(...)...)", "write the alternatives with |"),
    ("(?P=", "back reference (?P=...)", "repeat the pattern of the group"),
    ("(?P>", "recursion (?P>...)", "repeat the pattern of the group"),
    ("(?&", "recursion (?&...)", "repeat the pattern of the group"),
    ("(?R", "recursion (?R)", ""),
)
_FLAGS_INSTEAD = {
    "x": "write the pattern without spaces and comments",
    "a": "remove it: \\w, \\d, \\s and \\b are ASCII",
    "u": "remove it, and write \\p{L} for letters and \\p{N} for digits of all scripts",
}
_ESCAPES = {
    "C": "write (?s:.)",
    "e": "write \\x1b",
    "E": "escape each character",
    "h": "write [ \\t]",
    "H": "write [^ \\t]",
    "N": "write the character itself, or [^\\n] for all but a line feed",
    "Q": "escape each character",
    "R": "write (?:\\r\\n|\\n|\\r)",
    "u": "write four hexadecimal digits after \\u",
    "x": "write two hexadecimal digits after \\x",
    "X": "write (?s:.)",
}
_KNOWN_ESCAPES = "dDwWbBAzafnrtv"
_SPACE, _NO_SPACE = r"\x20\t-\r", r"\x00-\x08\x0e-\x1f!-\x{10FFFF}"
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


class PatternError(ValueError):
    """A pattern, or a replacement, is not valid."""


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is not valid, such as `look-ahead (?=...) is not supported; ...`, None where it is."""
    try:
        _compiled(pattern)
    except PatternError as error:
        return str(error)
    return None


def check_pattern(pattern: str) -> str:
    """Return a pattern, if it is valid.

    Raises
    ------
    ValueError
        If it is not.
    """
    problem = pattern_problem(pattern)
    if problem:
        raise ValueError(f"is not a valid regular expression (RE2): {problem}")
    return pattern


def matches(pattern: str, actual: Any) -> bool:
    """Return whether a value is a text in which a pattern is found."""
    return isinstance(actual, str) and _compiled(pattern).bare.search(_encodable(actual)) is not None


def first_group(pattern: str, text: str) -> list[str]:
    """Return the first group of the first match, or all of the match where the pattern has no groups; nothing without a match."""
    compiled, text = _compiled(pattern), _encodable(text)
    for spans in compiled.found(text):
        begin, end = spans[1 if compiled.groups else 0]
        return [] if begin < 0 else [text[begin:end]]
    return []


def replaced(pattern: str, new: str, text: str) -> Iterator[str]:
    r"""Yield the parts of a text in which all matches are replaced; `\1` and `\g<name>` in `new` are groups."""
    compiled, text = _compiled(pattern), _encodable(text)
    template = compiled.template(new)
    at = 0
    for spans in compiled.found(text):
        # RE2 is linear for one match; the next one can make it read the rest of the text again.
        check_deadline()
        begin, end = spans[0]
        yield text[at:begin]
        for part in template:
            yield part if isinstance(part, str) else text[slice(*spans[part])] if spans[part][0] >= 0 else ""
        at = end
    yield text[at:]


def check_replacement(pattern: str, new: str) -> None:
    """Refuse a replacement that a pattern has not the groups for.

    Raises
    ------
    ValueError
        If it is invalid, or names a group that the pattern has not.
    """
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
        How many groups the pattern has as it was written.
    bare
        The pattern without its groups, which RE2 searches fastest.
    """

    def __init__(self, translation: _Translation) -> None:
        self._translation = translation
        self.groups = len(translation.groups) - 1
        self.bare = _re2(translation.text, never_capture=True)

    @cached_property
    def _full(self) -> Any:
        return _re2(self._translation.text)

    def found(self, text: str) -> Iterator[list[tuple[int, int]]]:
        """Yield the spans of each match: of all of it, and of each of its groups, (-1, -1) where a group has none."""
        last = len(text) - 1
        for match in self._full.finditer(text):
            spans = [match.span(group) for group in self._translation.groups]
            if any(match.span(end)[0] >= 0 for end in self._translation.ends):
                # The line feed that `$` looked at is no part of the match.
                spans = [(min(begin, last), min(end, last)) for begin, end in spans]
            yield spans

    def template(self, new: str) -> list[str | int]:
        """Return the texts and the numbers of groups of which a replacement consists."""
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
    return _Pattern(_Translation(pattern))


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
            raise _unsupported("possessive quantifier (*+, ++, ?+)", "remove the second +") from None
        # What follows the kind is a part of the pattern, which may be a secret.
        raise PatternError(_ERRORS.get(kind, kind)) from None


def _encodable(text: str) -> str:
    """Return a text with U+FFFD in place of lone surrogates, which UTF-8 does not have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return re.sub(_SURROGATE, "\ufffd", text)
    return text


def _unsupported(what: str, instead: str = "") -> PatternError:
    return PatternError(f"{what} is not supported{f'; {instead}' if instead else ''}")


class _Translation:
    """A pattern in RE2's syntax.

    Parameters
    ----------
    pattern
        The pattern as it was written.

    Attributes
    ----------
    text
        The translated pattern.
    groups
        The number in it of each group, by the number in the pattern as it was written.
    names
        The numbers of groups in the pattern as it was written, by their names.
    ends
        The numbers in it of the groups that take the final line feed for `$`.
    """

    def __init__(self, pattern: str) -> None:
        if re.search(_SURROGATE, pattern):
            raise _unsupported("half of a surrogate pair", "write the character itself")
        self.groups = [0]
        self.names: dict[str, int] = {}
        self.ends: list[int] = []
        self._pattern = pattern
        self._at = 0
        self._count = 0
        self._multiline = [False]
        parts = []
        while self._at < len(pattern):
            parts.append(self._next())
        self.text = "".join(parts)

    def _next(self) -> str:
        match self._pattern[self._at]:
            case "\\":
                return self._escape()
            case "[":
                return self._class()
            case "(":
                return self._group()
            case "{":
                return self._repetition()
            case ")" if len(self._multiline) > 1:
                self._multiline.pop()
            case "$" if not self._multiline[-1]:
                self._at += 1
                self._count += 1
                self.ends.append(self._count)
                return r"(?:(\n)?\z)"
        return self._take(1)

    def _take(self, length: int) -> str:
        self._at += length
        return self._pattern[self._at - length : self._at]

    def _found(self, token: str) -> re.Match[str] | None:
        """Return a token that begins here, and go on behind it; None where there is none."""
        found = re.compile(token).match(self._pattern, self._at)
        if found:
            self._at = found.end()
        return found

    def _group(self) -> str:
        named = self._found(_NAMED)
        if named:
            if named[1] in self.names:
                raise _unsupported("the same name for two groups", "give each its own")
            self.names[named[1]] = len(self.groups)
        if named or not self._pattern.startswith("(?", self._at):
            self._count += 1
            self.groups.append(self._count)
            self._multiline.append(self._multiline[-1])
            return "(" if named else self._take(1)
        for begin, what, instead in _GROUPS:
            if self._pattern.startswith(begin, self._at):
                raise _unsupported(what, instead)
        flags = self._found(_FLAGS)
        if flags is None:
            raise _unsupported("the group (?...)", "write (?:...), (?P<name>...) or flags such as (?i)")
        on, off = flags[1], flags[2] or ""
        unknown = next((each for each in on + off if each not in "imsU"), None)
        if unknown is not None:
            raise _unsupported(f"the flag {unknown} of (?{unknown})", _FLAGS_INSTEAD.get(unknown, "remove it"))
        multiline = (self._multiline[-1] or "m" in on) and "m" not in off
        if flags[3] == ":":
            self._multiline.append(multiline)
        else:
            self._multiline[-1] = multiline
        return flags[0]

    def _repetition(self) -> str:
        found = self._found(_COUNT)
        if found is None or not (found[1] or found[3]):
            return found[0] if found else self._take(1)
        # Python takes {,n} for {0,n}, and leading zeros.
        least, most = (found[1] or "0").lstrip("0") or "0", found[3] and (found[3].lstrip("0") or "0")
        for count in (least, most or ""):
            if len(count) > len(str(MAX_REPEAT)) or int(count or 0) > MAX_REPEAT:
                raise _unsupported(f"a repetition count above {MAX_REPEAT}", f"write at most {MAX_REPEAT}")
        return f"{{{least}{found[2] or ''}{most or ''}}}"

    def _escape(self) -> str:
        if octal := self._found(_OCTAL):
            return _code(int(octal[1], 8))
        if (common := self._common_escape()) is not None:
            return common
        match self._pattern[self._at + 1 : self._at + 2]:
            case "s":
                made = f"[{_SPACE}]"
            case "S":
                made = f"[{_NO_SPACE}]"
            case "Z":
                made = r"\z"
            case each if each and each in "123456789":
                raise _unsupported(f"back reference \\{each}", "repeat the pattern of the group")
            case "k" | "g" as each:
                raise _unsupported(f"back reference \\{each}", "repeat the pattern of the group")
            case each:
                made = self._plain_escape(each)
        self._at += 2
        return made

    def _common_escape(self) -> str | None:
        """Return an escape that means the same inside and outside of a class; None where it is another."""
        if code := self._found(_CODE):
            number = int(next(filter(None, code.groups())), 16)
            if 0xD800 <= number <= 0xDBFF and (low := self._found(_LOW_SURROGATE)):  # noqa: PLR2004 - see below
                number = 0x10000 + ((number - 0xD800) << 10) + int(low[1], 16) - 0xDC00
            if 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - surrogates, as UTF-16 defines them
                raise _unsupported("half of a surrogate pair", "write both halves, or the character itself")
            return _code(number)
        if control := self._found(_CONTROL):
            return _code(ord(control[1]) % 32)
        found = self._found(_PROPERTY)
        return found[0] if found else None

    def _plain_escape(self, each: str) -> str:
        if each.isascii() and each.isalnum() and each not in _KNOWN_ESCAPES:
            raise _unsupported(f"the escape sequence \\{each}", _ESCAPES.get(each, ""))
        # RE2 takes no backslash before characters beyond ASCII.
        return f"\\{each}" if each.isascii() else each

    def _class(self) -> str:
        """Translate a class, from its [ to its ]."""
        parts = [self._take(1)]
        if self._pattern.startswith("^", self._at):
            parts.append(self._take(1))
        first = len(parts)
        while self._at < len(self._pattern):
            each = self._pattern[self._at]
            if each == "]" and len(parts) > first:
                return "".join([*parts, self._take(1)])
            if each == "\\":
                parts.append(self._escape_in_class(ends_range=parts[-1] == "-" and len(parts) > first + 1))
            elif posix := self._found(_POSIX):
                parts.append(posix[0])
            else:
                parts.append(self._take(1))
        return "".join(parts)

    def _escape_in_class(self, *, ends_range: bool) -> str:
        if octal := self._found(_OCTAL_IN_CLASS):
            return _code(int(octal[1], 8))
        if (common := self._common_escape()) is not None:
            return common
        match self._pattern[self._at + 1 : self._at + 2]:
            case "b":
                made = r"\x08"
            case "s" | "S" if ends_range:
                raise _unsupported("a range that ends with a class", "write the - first in [...]")
            case "s":
                made = _SPACE
            case "S":
                made = _NO_SPACE
            case each:
                made = self._plain_escape(each)
        self._at += 2
        return made


def _code(number: int) -> str:
    if number > 0x10FFFF:  # noqa: PLR2004 - the last character of Unicode
        raise _unsupported("a character beyond U+10FFFF")
    return f"\\x{{{number:x}}}"
