"""The page, rendered with a template."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ecs_hooks import __version__
from ecs_hooks_cli.common.text import clock_text, number
from ecs_hooks_cli.report import swimlanes
from ecs_hooks_cli.report.answers import histories_of, hooks_of
from ecs_hooks_cli.report.event_log import entries_of, marks_of
from ecs_hooks_cli.report.latency import axis_of, compared, histograms_of, latencies_of, seconds_axis
from ecs_hooks_cli.report.measurements import measurement_chart
from ecs_hooks_cli.report.recording import Play
from ecs_hooks_cli.report.scale import Scale, axis, grid
from ecs_hooks_cli.report.verdict import facts_of, summary_of, verdict_of

_MAX_OPEN = 12
"""Number of checks up to which those with several answers are expanded."""


def page_of(plays: Sequence[Play], made_at: datetime | None = None) -> str:
    """Return the page about one or more deployments, in order; `made_at` is in its footer."""
    environment = Environment(
        loader=PackageLoader("ecs_hooks_cli.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "clock_text": clock_text,
        "legend_shape": swimlanes.legend_shape,
        "measurement_chart": measurement_chart,
    }
    environment.filters["number"] = number
    return environment.get_template("page.html").render(
        sections=[_section(play, f"deployment-{place}") for place, play in enumerate(plays, 1)],
        service=plays[0].deployment.service.service,
        made_at=f"{made_at or datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=__version__,
    )


def _section(play: Play, identifier: str) -> dict[str, Any]:
    """Return the contents of the page about one deployment."""
    scale = Scale.of(play)
    lanes = swimlanes.lanes_of(play, scale)
    histories, hooks = histories_of(play), hooks_of(play)
    latencies = latencies_of(play)
    busy = {each.colour for each in latencies}
    seconds = axis_of(latencies)
    statuses = {mark.status for lane in lanes for mark in lane.marks}
    return {
        "id": identifier,
        "name": play.name,
        "verdict": verdict_of(play, histories),
        "facts": facts_of(play),
        "summary": summary_of(histories, hooks),
        "axis": axis(scale),
        "grid": grid(scale),
        "lanes": [(lane, swimlanes.lane_chart(lane)) for lane in lanes],
        "marks": [(each, swimlanes.marks_chart(each.kind, each.marks)) for each in marks_of(play, scale)],
        "traffic": [(each, swimlanes.traffic_chart(each)) for each in swimlanes.traffic_of(play, scale)],
        "statuses": [status for status in swimlanes.STATUSES if status in statuses],
        "stages": [(stage, list(each)) for stage, each in groupby(histories, lambda history: history.stage)],
        "expanded": len(histories) <= _MAX_OPEN,
        "latencies": latencies,
        "histograms": histograms_of(latencies, seconds) if seconds else [],
        "seconds_axis": seconds_axis(seconds) if seconds else Markup(),
        "compared": compared(latencies),
        "idle": [each for each in ("blue", "green") if each not in busy and getattr(play, each)],
        "tested": latencies_of(play, "test"),
        "hooks": hooks,
        "entries": entries_of(play),
    }
