"""Shows a simulated deployment while it runs: lines for people, or JSON lines for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import IO, Any, Protocol

from rich.console import Console
from rich.text import Text

from ecs_hooks.core import clock
from ecs_hooks.core.outcome import AS_BEFORE
from ecs_hooks_cli.common.text import clock_text, short_id
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
    "SUCCEEDED": "green",
    "SUCCESSFUL": "bold green",
    "PASS": "green",
    "FAILED": "bold red",
    "FAIL": "red",
    "IN_PROGRESS": "yellow",
    "WAIT": "yellow",
    "ERROR": "yellow",
    "ALARM": "bold red",
    "OK": "green",
    "ROLLBACK_SUCCESSFUL": "bold yellow",
    "ROLLBACK_FAILED": "bold red",
    "Succeeded": "green",
    "Failed": "bold red",
    "Stopped": "bold red",
    "TimedOut": "bold red",
}


class View(Protocol):
    """Takes what happens, as it happens."""

    def record(self, record: Record) -> None:
        """Show a record of the timeline."""

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show the outcome of a check.

        Parameters
        ----------
        outcome
            `time` and `deployment` as in a record; `stage`, `check`, `outcome`, `message`, `duration_ms` and `evidence`
            as in the line of the log.
        """


class Both:
    """Shows everything in two views.

    Parameters
    ----------
    one, other
        The views.
    """

    def __init__(self, one: View, other: View) -> None:
        self._views = (one, other)

    def record(self, record: Record) -> None:
        """Show a record in both."""
        for view in self._views:
            view.record(record)

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show an outcome in both."""
        for view in self._views:
            view.check(outcome)


class JsonLines:
    """One JSON object a line, for programs.

    Parameters
    ----------
    out
        Where to write.
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def record(self, record: Record) -> None:
        """Write a record with its `kind`."""
        self.write(record.to_dict())

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Write an outcome as a record of the kind `check`."""
        self.write({"kind": "check", **outcome})

    def write(self, value: Mapping[str, Any]) -> None:
        """Write any object, at once."""
        self._out.write(json.dumps(value, default=str) + "\n")
        self._out.flush()


class Lines:
    """Readable lines: virtual time, stage, traffic, checks, hooks and their reasons.

    Parameters
    ----------
    console
        Where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: float | None = None
        self._now = 0.0
        self._green = ""

    def begin(self) -> None:
        """Count the time of another deployment from its own start."""
        self._began = None

    def record(self, record: Record) -> None:
        """Show a record, where a person wants to see it."""
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
                # CodeDeploy's event does not tell.
                told = record.event.get("executionDetails", {}).get("targetServiceRevisionArn")
                self._green = str(told or self._green)
                if record.attempt > 1:
                    self._line("  hook", f"asked again (attempt {record.attempt})", style="dim")
            case HookAnswered():
                reason = record.reason.removeprefix(f"{record.status} ") or record.error
                self._line("  hook", record.status or "no valid answer", f"  {reason}")
            case DeploymentCreated() | HookReported():
                self._codedeploy(record)
            case _:
                self._seldom(record)

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show the outcome of a check, but not again and again that of one that has passed already."""
        if str(outcome["message"]).endswith(AS_BEFORE):
            return
        message = str(outcome["message"]).removeprefix(f"{outcome['outcome']} ")
        self._line("    check", str(outcome["outcome"]), f"  {message}")

    def _codedeploy(self, record: DeploymentCreated | HookReported) -> None:
        if isinstance(record, HookReported):
            self._line("  hook", record.status, "" if record.status == "TimedOut" else "  CodeDeploy has been told")
        elif record.rolls_back:
            self._line("deployment", record.deployment, f"  rolls back {record.rolls_back}", style="bold yellow")
        else:
            self._green = record.green
            self._line("deployment", record.deployment, f"  {record.configuration}", style="bold")

    def _seldom(self, record: Record) -> None:
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


@contextmanager
def hooks_shown_in(view: View, logs: IO[str]) -> Iterator[None]:
    """Show the checks of the hooks that run in this process, and keep what they write off the screen.

    Parameters
    ----------
    view
        Where the outcomes go.
    logs
        Where everything goes that Lambda would put into the function's log.
    """
    handler = _OutcomeHandler(view)
    logger = logging.getLogger("ecs-hooks")
    streams = [each for each in logger.handlers if isinstance(each, logging.StreamHandler)]
    before = [each.setStream(logs) for each in streams]
    logger.addHandler(handler)
    try:
        with redirect_stdout(logs):
            yield
    finally:
        logger.removeHandler(handler)
        for stream, old in zip(streams, before, strict=True):
            stream.setStream(old)


class _OutcomeHandler(logging.Handler):
    """Takes the one line that a hook logs for each outcome."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on what is the line of an outcome."""
        fields = vars(record)
        if "outcome" in fields:
            names = ("deployment", "stage", "check", "outcome", "duration_ms", "evidence")
            told = {name: fields.get(name) for name in names}
            # Under CodeDeploy it is the lifecycle event that a person knows.
            told["stage"] = fields.get("lifecycle_event") or told["stage"]
            self._view.check({"time": clock.now(), **told, "message": record.getMessage()})
