"""Reads an HTML page and lists its mistakes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

_VOID = {"meta", "br", "hr", "img", "input", "link", "col", "area", "base", "embed", "source", "track", "wbr"}
_LOADS = {
    "script",
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "video",
    "audio",
    "source",
    "track",
    "base",
    "form",
    "image",
    "use",
}
_ADDRESSES = {"src", "srcset", "data", "action", "formaction", "poster", "background", "ping", "xlink:href", "style"}

Attributes = dict[str, str]


class Document(HTMLParser):
    """A page: its elements in order, each with its attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.unbalanced: list[str] = []
        self._texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._texts.append((self._open[-1] if self._open else "", " ".join(data.split())))

    @property
    def text(self) -> str:
        """Its text."""
        return " ".join(text for tag, text in self._texts if tag != "style")

    def texts(self, tag: str) -> list[str]:
        """Return the texts that are directly in elements of a kind."""
        return [text for each, text in self._texts if each == tag]

    def of(self, *tags: str) -> list[Attributes]:
        """Return the attributes of all elements of these kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]

    def mistakes(self) -> Iterator[str]:
        """Yield elements that load something, and obstacles to accessibility."""
        yield from (f"{tag} is not balanced" for tag in self.unbalanced)
        yield from (f"<{tag}>" for tag, _ in self.elements if tag in _LOADS)
        for tag, attributes in self.elements:
            yield from (f"<{tag} {name}>" for name in attributes if name in _ADDRESSES or name.startswith("on"))
            if not attributes.get("href", "#").startswith("#"):
                yield f"<{tag} href={attributes['href']}>"
        yield from (
            f"style: {found}" for text in self.texts("style") for found in re.findall(r"@import|url\(|://", text)
        )
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        yield from (f"{count} times id {each}" for each, count in Counter(ids).items() if count > 1)
        for _, attributes in self.elements:
            named = {attributes.get("aria-labelledby"), attributes.get("href", "#")[1:] or None} - {None}
            yield from (f"nothing has the id {each}" for each in named if each not in ids)
        yield from self._unreadable()

    def _unreadable(self) -> Iterator[str]:
        levels = [int(tag[1]) for tag, _ in self.elements if re.fullmatch("h[1-6]", tag)]
        if levels.count(1) != 1 or levels[0] != 1:
            yield "there is not one h1 at the beginning"
        yield from (f"h{after} after h{before}" for before, after in pairwise(levels) if after > before + 1)
        if len(self.of("table")) != len(self.of("thead")):
            yield "a table without a head"
        yield from (
            "a header of no scope" for attributes in self.of("th") if attributes.get("scope") not in {"row", "col"}
        )
        nested = 0
        for tag, attributes in self.elements:
            nested += tag == "svg" and attributes.get("role") == "img"
            if attributes.get("role") == "img" and not attributes.get("aria-label"):
                yield "a picture without words"
        if not nested:
            yield "no pictures"
