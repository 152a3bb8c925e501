"""Translation of regular expressions into RE2's syntax; syntax that RE2 lacks is refused."""

from __future__ import annotations

import re

MAX_REPEAT = 1000
"""The largest repetition count of RE2."""

# Strings: a plan without regular expressions need not compile them.
SURROGATE = "[\ud800-\udfff]"
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

_INSTEAD_OF_LOOKAROUND = "write the condition as an assertion of its own (matches, not), or match the text around it"
_GROUPS = (
    ("(?=", "look-ahead (?=...)", _INSTEAD_OF_LOOKAROUND),
    ("(?!", "negative look-ahead (?!...)", _INSTEAD_OF_LOOKAROUND),
    ("(?<=", "look-behind (?<=...)", _INSTEAD_OF_LOOKAROUND),
    ("(?<!", "negative look-behind (?<!...)", _INSTEAD_OF_LOOKAROUND),
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
_BACK_REFERENCES = set("123456789kg")
_SPACE, _NO_SPACE = r"\x20\t-\r", r"\x00-\x08\x0e-\x1f!-\x{10FFFF}"
_OUTSIDE = {"s": f"[{_SPACE}]", "S": f"[{_NO_SPACE}]", "Z": r"\z"}
_IN_CLASS = {"s": _SPACE, "S": _NO_SPACE, "b": r"\x08"}


class PatternError(ValueError):
    """A pattern, or a replacement, is not valid."""


def unsupported(what: str, instead: str = "") -> PatternError:
    """Return the error for a construct that RE2 lacks, with what to write instead."""
    return PatternError(f"{what} is not supported{f'; {instead}' if instead else ''}")


class Translation:
    """A pattern in RE2's syntax.

    Parameters
    ----------
    pattern
        The original pattern.

    Attributes
    ----------
    text
        The translated pattern.
    groups
        The number of each group in the translated pattern, by its number in the original.
    names
        The numbers of groups in the original, by name.
    ends
        The numbers, in the translated pattern, of the groups that match the final line feed for `$`.
    """

    def __init__(self, pattern: str) -> None:
        if re.search(SURROGATE, pattern):
            raise unsupported("half of a surrogate pair", "write the character itself")
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
        """Return a token that begins here and skip it; None if there is none."""
        found = re.compile(token).match(self._pattern, self._at)
        if found:
            self._at = found.end()
        return found

    def _group(self) -> str:
        named = self._found(_NAMED)
        if named:
            if named[1] in self.names:
                raise unsupported("the same name for two groups", "give each its own")
            self.names[named[1]] = len(self.groups)
        if named or not self._pattern.startswith("(?", self._at):
            self._count += 1
            self.groups.append(self._count)
            self._multiline.append(self._multiline[-1])
            return "(" if named else self._take(1)
        for begin, what, instead in _GROUPS:
            if self._pattern.startswith(begin, self._at):
                raise unsupported(what, instead)
        flags = self._found(_FLAGS)
        if flags is None:
            raise unsupported("the group (?...)", "write (?:...), (?P<name>...) or flags such as (?i)")
        on, off = flags[1], flags[2] or ""
        unknown = next((each for each in on + off if each not in "imsU"), None)
        if unknown is not None:
            raise unsupported(f"the flag {unknown} of (?{unknown})", _FLAGS_INSTEAD.get(unknown, "remove it"))
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
        # Python reads {,n} as {0,n}, and accepts leading zeros.
        least, most = (found[1] or "0").lstrip("0") or "0", found[3] and (found[3].lstrip("0") or "0")
        for count in (least, most or ""):
            if len(count) > len(str(MAX_REPEAT)) or int(count or 0) > MAX_REPEAT:
                raise unsupported(f"a repetition count above {MAX_REPEAT}", f"write at most {MAX_REPEAT}")
        return f"{{{least}{found[2] or ''}{most or ''}}}"

    def _escape(self, *, in_class: bool = False, ends_range: bool = False) -> str:
        if octal := self._found(_OCTAL_IN_CLASS if in_class else _OCTAL):
            return _code(int(octal[1], 8))
        if code := self._found(_CODE):
            return self._character(int(next(filter(None, code.groups())), 16))
        if control := self._found(_CONTROL):
            return _code(ord(control[1]) % 32)
        if found := self._found(_PROPERTY):
            return found[0]
        each = self._pattern[self._at + 1 : self._at + 2]
        self._at += 2
        if ends_range and each in {"s", "S"}:
            raise unsupported("a range that ends with a class", "write the - first in [...]")
        if not in_class and each in _BACK_REFERENCES:
            raise unsupported(f"back reference \\{each}", "repeat the pattern of the group")
        translated = (_IN_CLASS if in_class else _OUTSIDE).get(each)
        if translated is None and each.isascii() and each.isalnum() and each not in _KNOWN_ESCAPES:
            raise unsupported(f"the escape sequence \\{each}", _ESCAPES.get(each, ""))
        # RE2 refuses a backslash before characters beyond ASCII.
        return translated or (f"\\{each}" if each.isascii() else each)

    def _character(self, number: int) -> str:
        """Return a character by its number; the two halves of a surrogate pair are one character."""
        if 0xD800 <= number <= 0xDBFF and (low := self._found(_LOW_SURROGATE)):  # noqa: PLR2004 - see below
            number = 0x10000 + ((number - 0xD800) << 10) + int(low[1], 16) - 0xDC00
        if 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - surrogates, as UTF-16 defines them
            raise unsupported("half of a surrogate pair", "write both halves, or the character itself")
        return _code(number)

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
                parts.append(self._escape(in_class=True, ends_range=parts[-1] == "-" and len(parts) > first + 1))
            elif posix := self._found(_POSIX):
                parts.append(posix[0])
            else:
                parts.append(self._take(1))
        return "".join(parts)


def _code(number: int) -> str:
    if number > 0x10FFFF:  # noqa: PLR2004 - the last character of Unicode
        raise unsupported("a character beyond U+10FFFF")
    return f"\\x{{{number:x}}}"
