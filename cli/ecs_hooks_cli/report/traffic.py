"""Who had the traffic when: the weights of blue and green at each listener."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecs_hooks_cli.report.play import Moment, Play, Weights
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_simulator.core.timeline import TrafficShifted

LISTENERS = ("production", "test")


class Share(NamedTuple):
    """The weights of a listener for a while.

    Parameters
    ----------
    left, right
        From where to where on the axis, in per cent.
    since
        From when on, in seconds since the deployment was made.
    blue, green, other
        Their shares, in per cent; all nought where nobody had the traffic.
    """

    left: float
    right: float
    since: float
    blue: float
    green: float
    other: float

    @property
    def text(self) -> str:
        """The weights in words."""
        shares = {"blue": self.blue, "green": self.green, "other": self.other}
        return ", ".join(f"{name} {share:g} %" for name, share in shares.items() if share) or "nobody"


class Traffic(NamedTuple):
    """A listener, and its weights over time."""

    listener: str
    shares: Sequence[Share]

    @property
    def summary(self) -> str:
        """The listener in words."""
        return ", then ".join(share.text for share in self.shares)


def traffic_of(play: Play, scale: Scale) -> list[Traffic]:
    """Return the weights of both listeners over time."""
    return [_listener(play, scale, listener) for listener in LISTENERS]


def _listener(play: Play, scale: Scale, listener: str) -> Traffic:
    shifts: list[tuple[Moment, Weights]] = [(Moment(0.0, 0), play.weights.get(listener, {}))]
    shifts += [
        (moment, record.weights)
        for moment, record in play.happened
        if isinstance(record, TrafficShifted) and record.listener == listener
    ]
    edges = [0.0, *(scale.at(moment) for moment, _ in shifts[1:]), 100.0]
    shares = [
        Share(left, right, moment.time, **_by_colour(play, weights))
        for left, right, (moment, weights) in zip(edges, edges[1:], shifts, strict=False)
    ]
    return Traffic(listener, shares)


def _by_colour(play: Play, weights: Mapping[str, float]) -> dict[str, float]:
    by_colour = {"blue": 0.0, "green": 0.0, "other": 0.0}
    for revision, percent in weights.items():
        by_colour[play.colour(revision)] += percent
    return by_colour
