"""What the commands that play deployments have in common: how they show them, and how they end."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import click
from rich.console import Console

from ecs_hooks_cli.common.live import JsonLines, Lines, View, hooks_shown_in
from ecs_hooks_cli.common.played import Played
from ecs_hooks_cli.common.recording import Recorder
from ecs_hooks_simulator import Timeline
from ecs_hooks_simulator.core.errors import TasksFailedError


def view_of(*, as_json: bool) -> tuple[View, Console | None]:
    """Return where a deployment is shown, and the console for further words to people; None for programs."""
    if as_json:
        return JsonLines(sys.stdout), None
    # Bound to today's stdout: what hooks print is led elsewhere while they run.
    console = PipedConsole(file=sys.stdout, highlight=False, soft_wrap=True)
    return Lines(console), console


def timeline_of(view: View) -> Timeline:
    """Return a timeline whose records are shown."""
    timeline = Timeline()
    timeline.subscribe(view.record)
    return timeline


@contextmanager
def playing(view: View, logs: IO[str] | None) -> Iterator[None]:
    """Show the hooks' checks, and say in one line what can't be played."""
    try:
        with hooks_shown_in(view, logs or io.StringIO()):
            yield
    except TasksFailedError as error:
        raise click.ClickException(str(error)) from error


report_option = click.option(
    "--report",
    type=click.File("w", encoding="utf-8", lazy=False),
    help="Write a page of HTML to this file: stages, traffic, measurements and latencies as pictures.",
)
"""The option of the commands that can write a page about what they have played."""


class PipedConsole(Console):
    """A console that may end in the middle."""

    def on_broken_pipe(self) -> None:
        """Leave it to click to end in silence where nobody reads on, as after `| head`."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def say(console: Console | None, text: str) -> None:
    """Tell people; programs hear nothing of it."""
    if console is not None:
        console.print(text)


def write_report(report: IO[str] | None, played: Sequence[Played], recorder: Recorder, console: Console | None) -> None:
    """Write the page about the deployments, where one is wanted."""
    if report is None:
        return
    # Jinja takes a while to load; who wants no page need not wait.
    from ecs_hooks_cli.report.page import page_of  # noqa: PLC0415
    from ecs_hooks_cli.report.play import plays_of  # noqa: PLC0415

    report.write(page_of(plays_of(played, recorder.records)))
    if console is not None:
        console.print(f"\nReport: {report.name}", markup=False)


def finish(played: Sequence[Played], view: View, console: Console | None) -> None:
    """Show how the deployments ended, and end the program."""
    if isinstance(view, JsonLines):
        for each in played:
            view.write(each.to_dict())
    if console is not None:
        console.print("\n[bold]Summary[/]")
        for each in played:
            outcome, status = str(each.deployment.outcome), str(each.deployment.status)
            told = "" if status == outcome else f"{outcome}, "
            style, verdict = (
                ("green", f"{told}as it should") if each.as_expected else ("bold red", f"{told}not {each.expected}")
            )
            console.print(f"  {status:<20} [{style}]{verdict}[/]  {each.name}")
            if each.deployment.status_reason:
                console.print(f"  {'':20} {each.deployment.status_reason}", style="dim", markup=False)
    sys.exit(0 if all(each.as_expected for each in played) else 1)
