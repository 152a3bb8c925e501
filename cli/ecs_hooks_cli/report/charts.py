"""Pictures on the time axis: the axis itself, the stages, what happened to them, and who had the traffic."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ecs_hooks_cli.report.scale import Scale, Tick
from ecs_hooks_cli.report.svg import NARROW_ONLY, WIDE_ONLY, anchor_at, element, line, percent, picture, rectangle, text
from ecs_hooks_cli.report.swimlanes import NO_ANSWER, Lane, Mark, joined, together
from ecs_hooks_cli.report.traffic import Share, Traffic

_LANE, _MIDDLE, _BAR = 26, 13, 14
_TRAFFIC = 60
_AXIS = 20
_SHAPES = {
    "SUCCEEDED": ("M0,-6a6,6 0 1 0 0.01,0z", "M-2.8,0.2L-0.8,2.4L3,-2.2"),
    "IN_PROGRESS": ("M0,-4a4,4 0 1 0 0.01,0z", ""),
    "AWAITING_ACTION": ("M-4,-5h3v10h-3zM1,-5h3v10h-3z", ""),
    "TIMED_OUT": ("M-6,-6h12v12h-12z", "M0,-4V0.5L3,2"),
    "FAILED": ("M0,-8L8,0L0,8L-8,0z", "M-2.6,-2.6L2.6,2.6M2.6,-2.6L-2.6,2.6"),
    NO_ANSWER: ("M0,-8L8,6H-8z", "M0,-3V1.4M0,3.4V4.4"),
}
_OTHER_SHAPE = ("M0,-6L6,0L0,6L-6,0z", "")


def axis(scale: Scale) -> Markup:
    """Return the labels of the axis; its times are in the tables, so it is hidden from who hears the page."""
    labels = [text(tick.at, 14, tick.text, _class("axis", tick), anchor_at(tick.at)) for tick in scale.ticks]
    return element("svg", *labels, width="100%", height=_AXIS, aria_hidden="true")


def grid(scale: Scale) -> Markup:
    """Return the lines of the axis, to lie behind all that stands on it."""
    lines = [line(tick.at, 0, tick.at, "100%", _class("grid", tick)) for tick in scale.ticks]
    return element("svg", *lines, class_="gridlines", aria_hidden="true")


def lane_chart(lane: Lane) -> Markup:
    """Return the picture of a stage."""
    top = _MIDDLE - _BAR / 2
    kind = "bar back" if lane.rollback else "bar"
    return picture(
        _LANE,
        f"{lane.stage}{' in the rollback' if lane.rollback else ''}: {lane.summary}",
        *(rectangle(bar.left, bar.right, top, _BAR, kind, bar.text) for bar in lane.bars),
        *(rectangle(busy.left, busy.right, top + 3, _BAR - 6, "busy", busy.text) for busy in joined(lane.busy)),
        *(line(wait.left, _MIDDLE, wait.right, _MIDDLE, "wait") for wait in joined(lane.waits)),
        *(mark_shape(mark) for mark in together(lane.marks)),
    )


def others_chart(kind: str, marks: Sequence[Mark]) -> Markup:
    """Return the picture of records that have no other one."""
    told = "; ".join(mark.text for mark in marks[:_TOLD]) + ("; and more" if len(marks) > _TOLD else "")
    return picture(_LANE, f"{kind}: {told}", *(mark_shape(mark) for mark in together(list(marks))))


def traffic_chart(traffic: Traffic) -> Markup:
    """Return the picture of a listener's weights: green from below, blue from above."""
    areas: list[Markup] = []
    for share in traffic.shares:
        top = 0.0
        for colour, height in (("blue", share.blue), ("other", share.other), ("green", share.green)):
            if height:
                areas.append(
                    rectangle(share.left, share.right, percent(top), percent(height), f"area {colour}", share.text)
                )
                areas += _labels(share, colour, top, height)
            top += height
        if not top:
            areas += _labels(share, "nobody", 0, 100)
    return picture(_TRAFFIC, f"{traffic.listener} listener: {traffic.summary}", *areas)


def mark_shape(mark: Mark) -> Markup:
    """Return the shape of an answer, with what it was as a hint."""
    outline, inner = _SHAPES.get(mark.status, _OTHER_SHAPE)
    inside = [element("path", d=inner, class_="inner")] if inner else []
    name = mark.status.lower().replace(" ", "-").replace("_", "-") or "other"
    drawn = element("g", element("title", mark.text), element("path", d=outline), *inside, class_=f"mark {name}")
    # A picture in the picture: only its corner can be placed by per cent, so that the shape keeps its form.
    return element("svg", drawn, x=percent(mark.at), y=_MIDDLE, width=1, height=1, overflow="visible")


def legend_shape(status: str) -> Markup:
    """Return the shape of a status for the legend."""
    drawn = mark_shape(Mark(50, status, status))
    return element("svg", drawn, width=20, height=_LANE, class_="sample", aria_hidden="true")


_TOLD = 12
"""Marks that the words for a picture name one by one."""
_FULL, _FULL_ON_PHONES, _SHORT, _SHORT_ON_PHONES, _HIGH = 9.5, 24, 4.5, 12, 25
"""Per cent of width and height that labels take."""


def _labels(share: Share, colour: str, top: float, height: float) -> list[Markup]:
    """Return the label of an area, as long as there is room for, on wide pages and on narrow ones."""
    width, middle = share.right - share.left, (share.left + share.right) / 2
    if height < _HIGH or width < _SHORT:
        return []
    full = colour if colour == "nobody" else f"{colour} {height:g} %"
    short = colour if colour == "nobody" else f"{height:g} %"
    y = percent(top + height / 2)
    if width >= _FULL_ON_PHONES:
        return [text(middle, y, full, "inside", "middle")]
    wide = [text(middle, y, full if width >= _FULL else short, f"inside {WIDE_ONLY}", "middle")]
    return wide + ([text(middle, y, short, f"inside {NARROW_ONLY}", "middle")] if width >= _SHORT_ON_PHONES else [])


def _class(name: str, tick: Tick) -> str:
    return name if tick.narrow else f"{name} {WIDE_ONLY}"
