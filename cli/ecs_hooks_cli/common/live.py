"""Shows what hooks in this process do: a view of records and outcomes, and JSON lines for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import IO, TYPE_CHECKING, Any, Protocol

from ecs_hooks.core import clock

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.timeline import Record  # loads the simulator


class CheckView(Protocol):
    """Shows the outcomes of checks, as they happen."""

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show the outcome of a check: `time` and the fields of its log line."""


class View(CheckView, Protocol):
    """Shows outcomes and records of the timeline, as they happen."""

    def record(self, record: Record) -> None:
        """Show a record of the timeline."""


class JsonLines:
    """One JSON object a line, for programs."""

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


@contextmanager
def hooks_shown_in(view: CheckView, logs: IO[str]) -> Iterator[None]:
    """Show the checks of the hooks that run in this process; their logs and standard output go to `logs`."""
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
    """Passes the log line of each outcome to a view."""

    def __init__(self, view: CheckView) -> None:
        super().__init__()
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on the record of an outcome."""
        fields = vars(record)
        if "outcome" in fields:
            names = ("deployment", "stage", "check", "outcome", "duration_ms", "evidence")
            outcome = {name: fields.get(name) for name in names}
            # Under CodeDeploy, people know the lifecycle event rather than the stage.
            outcome["stage"] = fields.get("lifecycle_event") or outcome["stage"]
            self._view.check({"time": clock.now(), **outcome, "message": record.getMessage()})
