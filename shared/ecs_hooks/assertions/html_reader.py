"""Reads HTML, and XML as if it were HTML: elements that are open, and texts between them."""

from __future__ import annotations

from html.parser import HTMLParser

MAX_DEPTH = 100
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_OPTIONAL_ENDS = {
    "li": {"ul", "ol", "menu"},
    "dt": {"dl"},
    "dd": {"dl"},
    "p": {"body", "div", "section", "article", "main", "td", "li", "form", "header", "footer", "aside", "nav"},
    "option": {"select", "optgroup", "datalist"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"tr"},
    "th": {"tr"},
}
"""Elements whose end tag may be missing, and those within which another one ends them."""


class HtmlReader(HTMLParser):
    """Reads a document. Only what is certain is corrected in the structure: equal documents have equal paths.

    Parameters
    ----------
    is_xml
        Whether the document is XML, where every element has an end.
    """

    def __init__(self, *, is_xml: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._is_xml = is_xml
        self._open: list[str] = []
        """The open elements, from the outermost one."""
        self._texts: list[str] = []

    def begin(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Read the start of an element, within those that are open."""

    def ended(self) -> None:
        """Read the end of the innermost element, which is open no more."""

    def flush(self) -> None:
        """Read the text since the last tag."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a start tag."""
        self.flush()
        if not self._is_xml:
            self._end_implied(tag)
        self.begin(tag, attrs)
        if len(self._open) < MAX_DEPTH and (self._is_xml or tag not in _VOID):
            self._open.append(tag)
        else:
            self.ended()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a start tag that ends with `/`, which is the end of the element only in XML."""
        self.handle_starttag(tag, attrs)
        if self._is_xml:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Read an end tag, which ends the elements within, too."""
        self.flush()
        if tag in self._open:
            self._end(next(depth for depth in reversed(range(len(self._open))) if self._open[depth] == tag))

    def handle_data(self, data: str) -> None:
        """Read a part of a text."""
        self._texts.append(data)

    def unknown_decl(self, data: str) -> None:
        """Read a CDATA section."""
        self._texts.append(data.removeprefix("CDATA["))

    def _end(self, depth: int) -> None:
        while len(self._open) > depth:
            self._open.pop()
            self.ended()

    def _end_implied(self, tag: str) -> None:
        """End an open element of the same kind, unless a container of its own is between them."""
        containers = _OPTIONAL_ENDS.get(tag)
        if containers is None:
            return
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth] == tag:
                self._end(depth)
                return
            if self._open[depth] in containers:
                return
