"""The page: everything together, written with a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ecs_hooks import __version__
from ecs_hooks_cli.common.text import clock_text, number
from ecs_hooks_cli.report import charts, plots
from ecs_hooks_cli.report.answers import History, HookHistory, histories_of, hooks_of
from ecs_hooks_cli.report.event_log import Happening, Others, happenings_of, others_of
from ecs_hooks_cli.report.latency import Latency, axis_of, compared, latencies_of
from ecs_hooks_cli.report.play import Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import STATUSES, Lane, lanes_of
from ecs_hooks_cli.report.traffic import Traffic, traffic_of
from ecs_hooks_cli.report.verdict import Verdict, facts_of, summary_of, verdict_of

_OPEN = 12
"""Checks up to which those with something to see are shown at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page shows of one deployment."""

    id: str
    name: str
    verdict: Verdict
    facts: Sequence[tuple[str, str]]
    summary: str
    axis: Markup
    grid: Markup
    lanes: Sequence[tuple[Lane, Markup]]
    others: Sequence[tuple[Others, Markup]]
    traffic: Sequence[tuple[Traffic, Markup]]
    statuses: Sequence[str]
    stages: Sequence[tuple[str, Sequence[History]]]
    opened: bool
    latencies: Sequence[Latency]
    histograms: Sequence[tuple[Latency, Markup]]
    seconds_axis: Markup
    compared: Sequence[tuple[str, Sequence[str]]]
    unasked: Sequence[str]
    tested: Sequence[Latency]
    hooks: Sequence[HookHistory]
    happenings: Sequence[Happening]


def page_of(plays: Sequence[Play], made_at: datetime | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    plays
        What was played, in order; at least one.
    made_at
        When that was; now by default.
    """
    environment = Environment(
        loader=PackageLoader("ecs_hooks_cli.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "clock_text": clock_text,
        "legend_shape": charts.legend_shape,
        "measurement_chart": plots.measurement_chart,
        "in_words": plots.in_words,
    }
    environment.filters["number"] = number
    return environment.get_template("page.html").render(
        sections=[_section(play, f"deployment-{place}") for place, play in enumerate(plays, 1)],
        service=plays[0].deployment.service.service,
        made_at=f"{made_at or datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=__version__,
    )


def _section(play: Play, identifier: str) -> Section:
    scale = Scale.of(play)
    lanes = lanes_of(play, scale)
    histories, hooks = histories_of(play), hooks_of(play)
    latencies = latencies_of(play)
    asked = {each.colour for each in latencies}
    seconds = axis_of(latencies)
    there = {mark.status for lane in lanes for mark in lane.marks}
    return Section(
        id=identifier,
        name=play.name,
        verdict=verdict_of(play, histories),
        facts=facts_of(play),
        summary=summary_of(histories, hooks),
        axis=charts.axis(scale),
        grid=charts.grid(scale),
        lanes=[(lane, charts.lane_chart(lane)) for lane in lanes],
        others=[(each, charts.others_chart(each.kind, each.marks)) for each in others_of(play, scale)],
        traffic=[(each, charts.traffic_chart(each)) for each in traffic_of(play, scale)],
        statuses=[status for status in STATUSES if status in there],
        stages=[(stage, list(each)) for stage, each in groupby(histories, lambda history: history.stage)],
        opened=len(histories) <= _OPEN,
        latencies=latencies,
        histograms=[
            (each, plots.histogram(each, seconds, plots.highest_share(latencies, seconds)))
            for each in latencies
            if seconds and each.seconds
        ],
        seconds_axis=plots.seconds_axis(seconds) if seconds else Markup(),
        compared=compared(latencies),
        unasked=[each for each in ("blue", "green") if each not in asked and getattr(play, each)],
        tested=latencies_of(play, "test"),
        hooks=hooks,
        happenings=happenings_of(play),
    )
