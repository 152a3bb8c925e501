"""What is kept of a play for its page: the records of the timeline and, in order among them, what checks answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ecs_hooks_cli.common.text import cut
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswered(Record):
    """A check of a hook has answered.

    Parameters
    ----------
    stage, hook
        Where it was asked, and by which function; empty where several were being invoked, since the log does not tell.
    check
        What reasons call it, such as `http "upload"`.
    status, reason
        Its answer.
    seconds
        How long it took, in the time of this machine; None where it was not asked.
    evidence
        The numbers behind the reason.
    """

    kind: ClassVar[str] = "check-answered"
    stage: str
    hook: str
    check: str
    status: str
    reason: str
    seconds: float | None
    evidence: Mapping[str, float]


class Recorder:
    """A view that keeps what it is shown.

    Attributes
    ----------
    records : list of Record
        Everything, in the order in which it happened.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._invoked: dict[str, HookInvoked] = {}

    def record(self, record: Record) -> None:
        """Keep a record."""
        match record:
            case HookInvoked():
                self._invoked[record.hook_id] = record
            case HookAnswered():
                self._invoked.pop(record.hook_id, None)
            case _:
                pass
        self.records.append(record)

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Keep the outcome of a check."""
        stage, status, check = (str(outcome[name]) for name in ("stage", "outcome", "check"))
        asking = {each.target for each in self._invoked.values() if each.stage == stage}
        took = outcome["duration_ms"]
        self.records.append(
            CheckAnswered(
                time=outcome["time"],
                deployment=str(outcome["deployment"]),
                stage=stage,
                hook=asking.pop() if len(asking) == 1 else "",
                check=check,
                status=status,
                reason=cut(str(outcome["message"]).removeprefix(f"{status} ").removeprefix(check).strip()),
                seconds=None if took is None else took / 1000,
                evidence=_numbers(outcome["evidence"] or {}),
            )
        )


def _numbers(evidence: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in evidence that can be drawn; texts, ids and what is not finite are for the log."""
    return {
        name: value
        for name, value in evidence.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
