"""HTML and XML as values at paths, like those of JSON: elements, attributes and texts, without positions.

`/html/body/ul/li` is the path of every such `li`, `/html/body/ul/li/text()` that of their texts, `/html/body/a/@href` that of
an attribute. So a price in one line of a minified page is one value, whatever else in the page varies.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.assertions.html_reader import HtmlReader
from ecs_hooks.checks.compare.json_diff import MAX_VALUES, Value
from ecs_hooks.checks.compare.normalize import HASH, without_hashes
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.core.redaction import is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.normalize import Normalize

PRESENT = Value("present")
"""A value of which only the presence is compared."""

_CODE = {"script", "style"}
_ONLY_PRESENT = {"integrity", "nonce"}
_SECRET_VALUES = {"value", "content"}
_BLANK = re.compile(r"\s+")
_PIECES = re.compile(r"(?<=[;{}>])|[\r\n]+")
_ASSIGNED = re.compile(r"\s*(?:(?:var|let|const)\s+)?[\w.$\[\]\"']+\s*=\s*([\[{].*[\]}])\s*;?\s*", re.DOTALL)
"""A script that assigns JSON to a variable, as server-side rendering does: `window.__STATE__ = {...};`."""
_HASHED_NAME = re.compile(r"^(data-v|_nghost|_ngcontent|data-astro-cid|data-svelte)-[\w-]+$")
_LIBRARY_CLASS = re.compile(r"^(css|svelte|jsx|jss|emotion|sc|astro)-[A-Za-z0-9-]{4,}$")
_MODULE_CLASS = re.compile(r"^(.+(?:__|--|_))(?=[A-Za-z0-9_-]*(?:\d|[a-z][A-Z]))[A-Za-z0-9_-]{5,8}$")
_STYLED_CLASS = re.compile(r"^(?=[a-z]*[A-Z])[A-Za-z]{5,7}$")


class Markup(NamedTuple):
    """The values of a document."""

    values: Mapping[str, tuple[Value, ...]]
    """By path, in the order of the document."""
    embedded: Mapping[str, list[Any]]
    """By path, the JSON in scripts."""
    secret_paths: frozenset[str]


def markup_of(text: str, normalize: Normalize, *, is_xml: bool) -> Markup | None:
    """Return the values of an HTML or XML document; None if it cannot be read, or if there are too many."""
    walker = _Walker(normalize, is_xml=is_xml)
    try:
        walker.feed(text)
        walker.end()
    except (AssertionError, _TooManyError):  # the parser knows no other declarations than those of SGML
        return None
    values = {path: tuple(found) for path, found in walker.values.items()}
    values |= {path: (Value("elements", number),) for path, number in walker.elements.items()}
    return Markup(values, walker.embedded, frozenset(walker.secret_paths))


class _TooManyError(Exception):
    """A document has more values than can be compared."""


class _Walker(HtmlReader):
    """Collects values."""

    def __init__(self, normalize: Normalize, *, is_xml: bool) -> None:
        super().__init__(is_xml=is_xml)
        self.values: defaultdict[str, list[Value]] = defaultdict(list)
        self.elements: defaultdict[str, int] = defaultdict(int)
        self.embedded: defaultdict[str, list[Any]] = defaultdict(list)
        self.secret_paths: set[str] = set()
        self._count = 0
        self._normalize = normalize

    def begin(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Add an element and its attributes."""
        path = self._path(tag)
        self.elements[path] += 1
        self._add_one()
        names = {name: value or "" for name, value in attributes}
        is_secret = any(is_secret_name(names.get(each, "")) for each in ("name", "id"))
        for name, value in names.items():
            self._attribute(path, name, value, names.get("name") or names.get("id", "") if is_secret else "")

    def end(self) -> None:
        """Add the rest of the document, which may be in the middle of a tag or a comment.

        The parser's own `close` reads the rest again for each `<` in it.
        """
        self.flush()
        rest, path = unescape(self.rawdata), f"{self._path()}/text()"
        for piece in pieces_of(rest):
            self._add(path, without_hashes(self._normalize(piece)))

    def flush(self) -> None:
        """Add the text since the last tag."""
        text = "".join(self._texts)
        self._texts.clear()
        if not text or text.isspace():
            return
        path = f"{self._path()}/text()"
        if self._open and self._open[-1] in _CODE:
            document = _json_in(text)
            if document is not None:
                self.embedded[self._path()].append(document)
                self._add_one()
                return
            for piece in pieces_of(text):
                self._add(path, without_hashes(self._normalize(piece)))
        else:
            self._add(path, self._normalize(_BLANK.sub(" ", text).strip()))

    def _add(self, path: str, content: str) -> None:
        self.values[path].append(Value("text", content))
        self._add_one()

    def _add_one(self) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _TooManyError

    def _attribute(self, path: str, name: str, value: str, secret: str) -> None:
        hashed = _HASHED_NAME.match(name)
        place = f"{path}/@{f'{hashed[1]}-{HASH}' if hashed else name}"
        if name in _ONLY_PRESENT:
            self.values[place].append(PRESENT)
        elif name == "class":
            self._add(place, " ".join(_classes(value.split())))
        else:
            if secret and name in _SECRET_VALUES:
                place = f"{path}[{secret}]/@{name}"
            if secret or is_secret_name(name):
                self.secret_paths.add(place)
            self._add(place, without_hashes(self._normalize(_BLANK.sub(" ", value).strip())))

    def _path(self, *last: str) -> str:
        return "".join(f"/{tag}" for tag in (*self._open, *last))


def pieces_of(text: str) -> Iterator[str]:
    """Yield the lines and statements of code, so that one that varies does not hide the others."""
    for piece in _PIECES.split(text):
        stripped = piece.strip()
        if stripped:
            yield stripped


def _json_in(text: str) -> Any:
    """Return the JSON object or array that a script consists of, or that it assigns; None without one."""
    found = _ASSIGNED.fullmatch(text)
    content = found[1] if found else text.strip()
    if content[:1] not in {"{", "["}:
        return None
    try:
        return read_json(content)
    except JsonError:
        return None


def _classes(names: Sequence[str]) -> list[str]:
    """Return the names of classes in alphabetical order, without the hashes of CSS modules and libraries."""
    styled = any(name.startswith("sc-") for name in names)
    found = set()
    for name in names:
        library, module = _LIBRARY_CLASS.match(name), _MODULE_CLASS.match(name)
        if library:
            found.add(f"{library[1]}-{HASH}")
        elif module:
            found.add(f"{module[1]}{HASH}")
        else:
            found.add(HASH if styled and _STYLED_CLASS.match(name) else name)
    return sorted(found)
