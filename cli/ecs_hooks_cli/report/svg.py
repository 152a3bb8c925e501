"""Elements of inline SVG.

Positions on an axis are percentages of the chart's width, heights are pixels: a chart fills the available width, and its text
keeps its size.
"""

from __future__ import annotations

from markupsafe import Markup, escape

_EDGE = 3
"""Percentage of the width at either side within which a centred label would be cut off."""
Value = str | float | None

WIDE_ONLY, NARROW_ONLY = "wide-only", "narrow-only"
"""Classes of elements for wide pages only, and of their replacements on narrow ones."""


def element(name: str, /, *children: str, **attributes: Value) -> Markup:
    """Return an element with escaped text and attributes.

    Attributes that are None are left out; `class_` is `class`, other underscores are hyphens.
    """
    given = (
        f' {key.strip("_").replace("_", "-")}="{escape(f"{value:g}" if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{''.join(given)}>{content}</{name}>")  # noqa: S704 - all parts are escaped


def chart(height: int, label: str, *children: str) -> Markup:
    """Return a chart of the available width and a height in pixels; screen readers read the label."""
    return element("svg", *children, width="100%", height=height, role="img", aria_label=label)


def point(x: float, y: Value, *children: str) -> Markup:
    """Return elements at a point; their own sizes are pixels, as the position of a nested SVG alone is a percentage."""
    return element("svg", *children, x=percent(x), y=y, width=1, height=1, overflow="visible")


def percent(value: float) -> str:
    """Return a percentage of the width or height."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def line(x1: float, y1: str | float, x2: float, y2: str | float, class_: str) -> Markup:
    """Return a line; `x1` and `x2` are percentages of the width."""
    return element("line", x1=percent(x1), y1=y1, x2=percent(x2), y2=y2, class_=class_)


def rectangle(left: float, right: float, top: Value, height: Value, class_: str, title: str = "") -> Markup:
    """Return a rectangle; `left` and `right` are percentages of the width."""
    tooltip = [element("title", title)] if title else []
    return element("rect", *tooltip, x=percent(left), width=percent(right - left), y=top, height=height, class_=class_)


def text(at: float, y: Value, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """Return a text; `at` is a percentage of the width."""
    return element("text", words, x=percent(at), y=y, text_anchor=anchor, class_=class_ or None)


def axis_label(at: float, y: Value, words: str, *, narrow: bool) -> Markup:
    """Return a label of an axis within the chart; without `narrow` it is for wide pages only."""
    anchor = "start" if at < _EDGE else "end" if at > 100 - _EDGE else "middle"
    return text(at, y, words, "axis" if narrow else f"axis {WIDE_ONLY}", anchor)
