"""Reads HTML, and XML as if it were HTML: elements that are open, and texts between them."""

from __future__ import annotations

from html.parser import HTMLParser

MAX_DEPTH = 100
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SCOPES = {
    "li": {"ul", "ol", "menu"},
    "dt": {"dl"},
    "p": {"body", "div", "section", "article", "main", "td", "li", "form", "header", "footer", "aside", "nav"},
    "option": {"select", "optgroup", "datalist"},
    "optgroup": {"select"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"tr"},
    "tbody": {"table"},
}
"""Elements whose end tag may be missing, and those within which another one ends them."""
_ALIKE = {"dd": "dt", "th": "td", "thead": "tbody", "tfoot": "tbody"}
"""Elements that end each other."""
_ENDS_P = frozenset(
    {
        *("address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "menu", "nav", "ol", "p", "pre", "section"),
        *("table", "ul"),
    }
)
"""Elements that a paragraph cannot contain, so that they end it."""


class HtmlReader(HTMLParser):
    """Reads a document. Only certain mistakes of the structure are corrected: equal documents have equal paths.

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
        """End an open element that cannot contain this one, unless a container of its own is between them."""
        kind = "p" if tag in _ENDS_P else _ALIKE.get(tag, tag)
        scope = _SCOPES.get(kind)
        if scope is None:
            return
        for depth in range(len(self._open) - 1, -1, -1):
            if _ALIKE.get(self._open[depth], self._open[depth]) == kind:
                self._end(depth)
                return
            if self._open[depth] in scope:
                return
