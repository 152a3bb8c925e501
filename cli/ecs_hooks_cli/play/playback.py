"""How `simulate` and `demo` show deployments while they run, write the report, and end."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import click
from rich.console import Console
from rich.text import Text

from ecs_hooks.core.outcome import AS_BEFORE
from ecs_hooks_cli.common.live import JsonLines, View, hooks_shown_in
from ecs_hooks_cli.common.text import clock_text, short_id
from ecs_hooks_cli.report.recording import Played, Recorder, plays_of
from ecs_hooks_simulator import Timeline
from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.timeline import (
    AlarmStateChanged,
    DeploymentCreated,
    FaultInjected,
    HookAnswered,
    HookInvoked,
    HookReported,
    HookStateChanged,
    Record,
    StageEntered,
    StatusChanged,
    TasksChanged,
    TrafficShifted,
)

_STYLES = {
    **dict.fromkeys(("SUCCEEDED", "PASS", "OK", "Succeeded"), "green"),
    **dict.fromkeys(("IN_PROGRESS", "WAIT", "ERROR"), "yellow"),
    **dict.fromkeys(("FAILED", "ALARM", "ROLLBACK_FAILED", "Failed", "Stopped", "TimedOut"), "bold red"),
    "SUCCESSFUL": "bold green",
    "FAIL": "red",
    "ROLLBACK_SUCCESSFUL": "bold yellow",
}

F = TypeVar("F")


def play_options(command: F) -> F:
    """Add the options of a command that plays deployments."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
        click.option(
            "--report",
            type=click.File("w", encoding="utf-8", lazy=False),
            help="Write an HTML page to this file: stages, traffic, measurements and latencies as charts.",
        ),
        click.option(
            "--logs", type=click.File("w", encoding="utf-8", lazy=False), help="Write the functions' logs to this file."
        ),
    ):
        command = option(command)  # type: ignore[type-var] # click's functions of functions
    return command


class Lines:
    """Readable lines: virtual time, stage, traffic, checks, hooks and their reasons."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: float | None = None
        self._now = 0.0
        self._green = ""

    def begin(self) -> None:
        """Restart the clock for the next deployment."""
        self._began = None

    def record(self, record: Record) -> None:
        """Show a record that people want to see."""
        if self._began is None:
            self._began = record.time
        self._now = record.time - self._began
        match record:
            case StatusChanged():
                reason = f"  {record.reason}" if record.reason else ""
                self._line("deployment", record.status, reason)
            case StageEntered():
                self._line("stage", record.stage, "  rolling back" if record.rollback else "", style="bold cyan")
            case TasksChanged():
                self._line("  tasks", f"{self._colour(record.revision)} {record.state}", style="dim")
            case TrafficShifted():
                weights = ", ".join(
                    f"{self._colour(arn)} {percent:g} %" for arn, percent in record.weights.items() if percent
                )
                self._line("  traffic", f"{record.listener} listener: {weights or 'nobody'}", style="magenta")
            case HookInvoked():
                # CodeDeploy's event does not name the revision.
                revision = record.event.get("executionDetails", {}).get("targetServiceRevisionArn")
                self._green = str(revision or self._green)
                if record.attempt > 1:
                    self._line("  hook", f"asked again (attempt {record.attempt})", style="dim")
            case HookAnswered():
                reason = record.reason.removeprefix(f"{record.status} ") or record.error
                self._line("  hook", record.status or "no valid answer", f"  {reason}")
            case DeploymentCreated() | HookReported():
                self._codedeploy(record)
            case _:
                self._other(record)

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show the outcome of a check, except a repetition of an earlier pass."""
        message = str(outcome["message"])
        if not message.endswith(AS_BEFORE):
            status = str(outcome["outcome"])
            self._line("    check", status, f"  {message.removeprefix(f'{status} ')}")

    def _codedeploy(self, record: DeploymentCreated | HookReported) -> None:
        if isinstance(record, HookReported):
            self._line("  hook", record.status, "" if record.status == "TimedOut" else "  CodeDeploy has been told")
        elif record.rolls_back:
            self._line("deployment", record.deployment, f"  rolls back {record.rolls_back}", style="bold yellow")
        else:
            self._green = record.green
            self._line("deployment", record.deployment, f"  {record.configuration}", style="bold")

    def _other(self, record: Record) -> None:
        match record:
            case HookStateChanged() if record.target is None:
                self._line("  pause", record.state)
            case FaultInjected():
                share = f" ({record.percent:g} % of the production traffic)" if record.percent else ""
                self._line("fault", record.fault, f"  in green from now on{share}", style="bold red")
            case AlarmStateChanged():
                self._line("  alarm", record.state, f"  {record.alarm}: {record.reason}")
            case _:
                pass

    def _line(self, what: str, word: str, rest: str = "", *, style: str = "") -> None:
        text = Text(f"{clock_text(self._now)}  {what:<12} ", style="dim")
        text.append(word, style=style or _STYLES.get(word, "bold"))
        text.append(rest, style="default not dim")
        self._console.print(text, soft_wrap=True)

    def _colour(self, arn: str) -> str:
        return f"{'green' if arn == self._green else 'blue'} ({short_id(arn)})"


class PipedConsole(Console):
    """A console whose reader may end first, such as `head`."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError: click then ends the program without a message."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Playback:
    """Deployments while they are played: on the screen, and recorded for the report; `timeline` is that of the simulation."""

    def __init__(self, *, as_json: bool, report: IO[str] | None, logs: IO[str] | None) -> None:
        self._report = report
        self._logs = logs or io.StringIO()
        # Bound to the present stdout, which is redirected while hooks run.
        self._console = None if as_json else PipedConsole(file=sys.stdout, highlight=False, soft_wrap=True)
        self._json = JsonLines(sys.stdout)
        self._lines = Lines(self._console) if self._console is not None else None
        self._recorder = Recorder()
        self._views: tuple[View, View] = (self._lines or self._json, self._recorder)
        self._played: list[Played] = []
        self.timeline = Timeline()
        for view in self._views:
            self.timeline.subscribe(view.record)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show the hooks' checks; an application that does not start ends the command with one line."""
        try:
            with hooks_shown_in(self, self._logs):
                yield
        except TasksFailedError as error:
            raise click.ClickException(str(error)) from error

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show and record the outcome of a check."""
        for view in self._views:
            view.check(outcome)

    def print(self, text: str) -> None:
        """Print a line for people, not for programs."""
        if self._console is not None:
            self._console.print(text)

    def begin(self, name: str) -> None:
        """Announce the next deployment."""
        if self._lines is not None:
            self._lines.begin()
        self.print(f"\n[bold]Deploying {name}[/]")

    def played(self, played: Played) -> None:
        """Add a finished deployment."""
        self._played.append(played)

    def finish(self) -> None:
        """Write the report, show how the deployments ended, and end the program."""
        if self._report is not None:
            from ecs_hooks_cli.report.page import page_of  # noqa: PLC0415 - Jinja is slow to load, and optional here

            self._report.write(page_of(plays_of(self._played, self._recorder.records)))
            if self._console is not None:
                self._console.print(f"\nReport: {self._report.name}", markup=False)
        if self._console is None:
            for each in self._played:
                self._json.write(each.to_dict())
        else:
            self._summarize(self._console)
        sys.exit(0 if all(each.as_expected for each in self._played) else 1)

    def _summarize(self, console: Console) -> None:
        console.print("\n[bold]Summary[/]")
        for each in self._played:
            outcome, status = str(each.deployment.outcome), str(each.deployment.status)
            before = "" if status == outcome else f"{outcome}, "
            style, verdict = (
                ("green", f"{before}as it should") if each.as_expected else ("bold red", f"{before}not {each.expected}")
            )
            console.print(f"  {status:<20} [{style}]{verdict}[/]  {each.name}")
            if each.deployment.status_reason:
                console.print(f"  {'':20} {each.deployment.status_reason}", style="dim", markup=False)
