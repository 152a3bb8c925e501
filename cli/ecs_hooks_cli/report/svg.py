"""Elements of SVG, as HTML has them inline.

Lengths along an axis are per cent of the picture's width, heights are pixels: so a picture fills whatever width there is, and
its texts stay as large as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_EDGE = 3
"""Per cent of the width from either side within which a label would stick out."""
Value = str | float | None

WIDE_ONLY, NARROW_ONLY = "wide-only", "narrow-only"
"""Classes of what has room on wide pages only, or takes its place on narrow ones."""


def element(name: str, /, *children: str, **attributes: Value) -> Markup:
    """Return an element; texts among the children, and all attributes, are escaped.

    Parameters
    ----------
    name
        Its name.
    *children
        Texts and elements.
    **attributes
        Its attributes, those that are None left out; `class_` is `class`, and other underscores are hyphens.
    """
    given = (
        f' {key.strip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{''.join(given)}>{joined(children)}</{name}>")  # noqa: S704 - all that is in it is escaped


def joined(children: Iterable[str]) -> Markup:
    """Return texts and elements one after the other."""
    return Markup("").join(escape(child) for child in children)


def picture(height: int, label: str, *children: str) -> Markup:
    """Return a picture as wide as there is room.

    Parameters
    ----------
    height
        In pixels.
    label
        What it shows, in words, for people who can't see it.
    *children
        What is in it.
    """
    return element("svg", *children, width="100%", height=height, role="img", aria_label=label)


def percent(value: float) -> str:
    """Return a length as a share of the width."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def line(x1: float, y1: str | float, x2: float, y2: str | float, class_: str) -> Markup:
    """Return a line; `x1` and `x2` are per cent of the width."""
    return element("line", x1=percent(x1), y1=y1, x2=percent(x2), y2=y2, class_=class_)


def rectangle(left: float, right: float, top: Value, height: Value, class_: str, title: str = "") -> Markup:
    """Return a rectangle; `left` and `right` are per cent of the width."""
    hint = [element("title", title)] if title else []
    return element("rect", *hint, x=percent(left), width=percent(right - left), y=top, height=height, class_=class_)


def text(at: float, y: Value, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """Return a text; `at` is per cent of the width."""
    return element("text", words, x=percent(at), y=y, text_anchor=anchor, class_=class_ or None)


def anchor_at(at: float) -> str:
    """Return the anchor of a label at a place of an axis, so that it stays inside the picture."""
    return "start" if at < _EDGE else "end" if at > 100 - _EDGE else "middle"


def _text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
