"""XPath and CSS selectors on HTML and XML. Import it where a plan has such a query: elementpath takes long to import.

HTML is read by the standard library's parser, XML by expat without entities of its own and without external ones. elementpath
evaluates XPath 1.0 in Python, so that the deadline can end it; cssselect translates selectors into XPath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from functools import lru_cache
from html.entities import html5
from itertools import islice
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ElementTree, TreeBuilder
from xml.parsers import expat

from cssselect import GenericTranslator, HTMLTranslator, SelectorError
from elementpath import ElementPathError, XPathContext, XPathNode
from elementpath.xpath1 import XPath1Parser

from ecs_hooks.assertions.html_reader import MAX_DEPTH, HtmlReader
from ecs_hooks.core.deadline import check_deadline

MAX_NODES = 50_000
"""Limit of the elements and attributes of a document."""
MAX_VALUES = 10_000
_DEFAULT_PREFIX = "_"
"""The prefix of the default namespace of a document in XPath, which has no name for it."""
_PREFIX = re.compile(r"(?<![\w:.-])([A-Za-z_][\w.-]*):(?=[\w*])(?!:)")
_ID = re.compile(r"(?<![\w:.-])id\s*\(")
_DECLARED = re.compile(r"""(?:encoding|charset)\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_STRINGS = re.compile(r"'[^']*'|\"[^\"]*\"")
_NEVER_MATCHES = re.compile(r":(active|focus|hover|target|visited)\b")
_IN_HEAD = {"base", "link", "meta", "noscript", "script", "style", "template", "title"}
_XML_TYPE = re.compile(r"\s*[\w.+-]+/(?:[\w.-]+\+)?xml\s*(?:;|$)", re.IGNORECASE)


class MarkupError(ValueError):
    """A document cannot be read, or a query of it cannot be evaluated."""


class _Document(NamedTuple):
    context: XPathContext
    namespaces: dict[str, str]


def is_xml(content_type: str, text: str) -> bool:
    """Return whether a document is XML: by its media type, or by its declaration if the media type is not HTML's."""
    if _XML_TYPE.match(content_type):
        return True
    return "html" not in content_type.lower() and text.lstrip("\ufeff \t\r\n").startswith("<?xml")


def declared_charset(content: bytes) -> str:
    """Return the charset that a document declares at its beginning; empty if it declares none."""
    found = _DECLARED.search(content[:1024].decode("latin-1"))
    return found[1] if found else ""


def check_xpath(path: str) -> str:
    """Return an XPath; raise ValueError if it is not valid."""
    without_strings = _STRINGS.sub("''", path)
    if _ID.search(without_strings):
        raise ValueError("is not a valid XPath 1.0: id() requires a document type; write //*[@id = 'name']")
    prefixes = _PREFIX.findall(without_strings)
    try:
        list(XPath1Parser(namespaces=dict.fromkeys(prefixes, "urn:any")).parse(path).select(copy(_empty())))
    except (ElementPathError, RecursionError, ValueError, OverflowError) as error:
        raise ValueError(f"is not a valid XPath 1.0: {_reason(error)}") from None
    return path


def check_selector(selector: str) -> str:
    """Return a CSS selector; raise ValueError if it is not valid."""
    never = _NEVER_MATCHES.search(_STRINGS.sub("''", selector))
    if never:
        raise ValueError(f"is not a valid CSS selector: {never[0]} matches nothing without a browser")
    try:
        XPath1Parser().parse(_translated(selector, xml=False))
    except (SelectorError, ElementPathError, RecursionError, ValueError) as error:
        raise ValueError(f"is not a valid CSS selector: {_reason(error)}") from None
    return selector


def find_xpath(path: str, text: str, *, xml: bool) -> list[Any]:
    """Return the values of an XPath: texts of nodes, or one text, number or boolean.

    Raises
    ------
    MarkupError
        If the document cannot be read, or the path not be evaluated.
    """
    found = _select(path, _read(text, xml=xml, namespaces=True))
    values = [each.string_value if isinstance(each, XPathNode) else _plain(each) for each in found]
    # The number of a missing node is NaN.
    return [each for each in values if each == each]  # noqa: PLR0124


def find_css(selector: str, attribute: str | None, text: str, *, xml: bool) -> list[str]:
    """Return the texts of the elements that a CSS selector selects, or an attribute of those that have it.

    Raises
    ------
    MarkupError
        If the document cannot be read, or the selector not be evaluated.
    """
    # A selector without a namespace means elements of all namespaces.
    found = _select(_translated(selector, xml=xml), _read(text, xml=xml, namespaces=False))
    if attribute is None:
        return [each.string_value for each in found]
    values = (each.value.get(attribute if xml else attribute.lower()) for each in found)
    return [each for each in values if each is not None]


def is_scalar(path: str) -> bool:
    """Return whether an XPath returns a text, a number or a boolean in place of nodes."""
    prefixes = _PREFIX.findall(_STRINGS.sub("''", path))
    token = XPath1Parser(namespaces=dict.fromkeys(prefixes, "urn:any")).parse(path)
    return not isinstance(next(iter(token.select(copy(_empty()))), None), XPathNode | None)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return " ".join(re.sub(r"^.*?\[err:\w+\] ", "", str(error)).split())[:200]


@lru_cache(maxsize=64)
def _translated(selector: str, *, xml: bool) -> str:
    return (GenericTranslator() if xml else HTMLTranslator()).css_to_xpath(selector)


def _select(path: str, document: _Document) -> list[Any]:
    try:
        token = XPath1Parser(namespaces=document.namespaces).parse(path)
        found = list(islice(token.select(copy(document.context)), MAX_VALUES + 1))
    except RecursionError:
        raise MarkupError("cannot be evaluated: it is nested too deeply") from None
    except (ElementPathError, ValueError, TypeError, ArithmeticError) as error:
        raise MarkupError(f"cannot be evaluated: {_reason(error)}") from None
    if len(found) > MAX_VALUES:
        raise MarkupError(f"finds more than {MAX_VALUES} values")
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float) else float(value)


def _checked(name: str) -> Callable[..., Iterator[Any]]:
    function = getattr(XPathContext, name)

    def iterate(self: XPathContext, *arguments: Any, **named: Any) -> Iterator[Any]:
        for each in function(self, *arguments, **named):
            check_deadline()
            yield each

    return iterate


_AXES = ("attributes", "children_or_self", "siblings", "descendants", "ancestors", "preceding", "followings")
_DeadlineContext: Any = type(
    "_DeadlineContext", (XPathContext,), {f"iter_{axis}": _checked(f"iter_{axis}") for axis in _AXES}
)


@lru_cache(maxsize=1)
def _empty() -> XPathContext:
    return _context(Element("html"))


def _context(root: Element) -> XPathContext:
    made: XPathContext = _DeadlineContext(ElementTree(root))
    return made


@lru_cache(maxsize=1)
def _read(text: str, *, xml: bool, namespaces: bool) -> _Document:
    """Return a document; the last one is kept, since several assertions may be about it."""
    try:
        return _XmlReader(keep_namespaces=namespaces).read(text) if xml else _TreeReader().read(text)
    except AssertionError:  # of the parser, for a declaration that it does not know
        raise MarkupError("the document is not HTML") from None


class _Limits:
    """Counts the elements and attributes of a document."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def spend(self, nodes: int, depth: int) -> None:
        check_deadline()
        self._left -= nodes
        if self._left < 0:
            raise MarkupError(f"the document has more than {MAX_NODES} elements and attributes")
        if depth >= MAX_DEPTH:
            raise MarkupError("the document is nested too deeply")


class _TreeReader(HtmlReader):
    """Builds the tree of an HTML document, with `html`, `head` and `body`, as browsers do."""

    def __init__(self) -> None:
        super().__init__(is_xml=False)
        self._limits = _Limits()
        self._builder = TreeBuilder()
        self._builder.start("html", {})
        self._names: list[str] = []

    def begin(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Add an element."""
        self._limits.spend(1 + len(attributes), len(self._open))
        # The first of several attributes of one name counts.
        self._builder.start(tag, {name: value or "" for name, value in reversed(attributes)})
        self._names.append(tag)

    def ended(self) -> None:
        """End the innermost element."""
        self._builder.end(self._names.pop())

    def handle_data(self, data: str) -> None:
        """Read a part of a text."""
        check_deadline()
        super().handle_data(data)

    def flush(self) -> None:
        """Add the text since the last tag."""
        self._builder.data("".join(self._texts))
        self._texts.clear()

    def read(self, text: str) -> _Document:
        """Return a document."""
        self.feed(text)
        # The parser's own `close` reads the rest again for each `<` in it.
        self.handle_data(self.rawdata)
        self.flush()
        while self._open:
            self._open.pop()
            self.ended()
        self._builder.end("html")
        return _Document(_context(_with_body(self._builder.close())), {})


def _with_body(found: Element) -> Element:
    """Return the `html` element of a document whose elements may be outside of `html`, `head` and `body`."""
    html, head, body = Element("html"), Element("head"), Element("body")
    html.extend([head, body])
    waiting: list[Element | str] = _content(found)[::-1]
    last: Element | None = None
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if last is not None or each.strip():
                _append_text(body, each)
                last = body
            continue
        if each.tag in {"html", "head", "body"}:
            place = {"html": html, "head": head, "body": body}[each.tag]
            place.attrib.update({name: value for name, value in each.attrib.items() if name not in place.attrib})
            if each.tag == "head":
                head.text, content = each.text, list(each)
                head.extend(content)
            else:
                last = body if each.tag == "body" else last
                waiting += _content(each)[::-1]
        elif each.tag in _IN_HEAD and last is None:
            head.append(each)
        else:
            body.append(each)
            last = body
    return html


def _content(element: Element) -> list[Element | str]:
    """Return the elements and texts within an element, which gives them up."""
    content: list[Element | str] = [element.text] if element.text else []
    for child in element:
        tail, child.tail = child.tail, None
        content += [child, tail] if tail else [child]
    return content


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


class _XmlReader:
    """Builds the tree of an XML document. Entities that it declares are refused, and none is fetched."""

    def __init__(self, *, keep_namespaces: bool) -> None:
        self._limits = _Limits()
        self._keep = keep_namespaces
        self._builder = TreeBuilder()
        self._namespaces: dict[str, str] = {}
        self._depth = 0

    def read(self, text: str) -> _Document:
        """Return a document."""
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.StartNamespaceDeclHandler = self._declare
        parser.EntityDeclHandler = self._refuse
        parser.SkippedEntityHandler = self._entity
        try:
            # The text is decoded already, whatever its declaration says.
            parser.Parse(text.lstrip("\ufeff").encode(errors="replace"), True)  # noqa: FBT003 - expat's
        except expat.ExpatError as error:
            problem = f"{expat.ErrorString(error.code)} in line {error.lineno}"
            raise MarkupError(f"the document is not well-formed XML: {problem}") from None
        return _Document(_context(self._builder.close()), self._namespaces)

    def _name(self, name: str) -> str:
        namespace, separator, local = name.rpartition("}")
        return f"{{{namespace}}}{local}" if separator and self._keep else local

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._limits.spend(1 + len(attributes), self._depth)
        self._depth += 1
        self._builder.start(self._name(name), {self._name(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(self._name(name))

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._namespaces.setdefault(prefix or _DEFAULT_PREFIX, uri or "")

    def _refuse(self, *_: Any) -> None:
        raise MarkupError("the document declares entities, which are not read")

    def _entity(self, name: str, is_parameter: bool) -> None:  # noqa: FBT001 - expat's
        known = html5.get(f"{name};")
        if known is None and not is_parameter:
            raise MarkupError("the document has an entity that is unknown")
        self._builder.data(known or "")
