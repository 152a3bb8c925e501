"""Faults that a deployment injects into green, and when each begins.

Example
-------
>>> fault = Fault.parse("latency=300ms@50%")
>>> fault.seconds, fault.from_percent
(0.3, 50.0)
>>> print(Fault.parse("errors=20%@POST_TEST_TRAFFIC_SHIFT"))
errors=20%@POST_TEST_TRAFFIC_SHIFT
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.model import Step

LATENCY_SECONDS = 6.0
"""Default of `latency`: more than the 5 seconds that `golden_signals` allows by default."""
ERRORS_PERCENT = 50.0
"""Default of `errors`."""

STAGES = (
    Stage.POST_SCALE_UP,
    Stage.TEST_TRAFFIC_SHIFT,
    Stage.POST_TEST_TRAFFIC_SHIFT,
    Stage.PRE_PRODUCTION_TRAFFIC_SHIFT,
    Stage.PRODUCTION_TRAFFIC_SHIFT,
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
    "BAKE_TIME",
)
"""Stages at which a fault can begin, those at which green's tasks run; the first is the default."""

_FORM = re.compile(r"(?P<kind>[^=@]*)(=(?P<value>[^@]*))?(@(?P<when>.*))?", re.DOTALL)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_UNITS = {"ms": 0.001, "s": 1.0}


class Stepped(Protocol):
    """What shifts production traffic in steps: a service, or a deployment group of CodeDeploy."""

    @property
    def steps(self) -> Sequence[Step]:
        """The shifts of production traffic."""

    @property
    def strategy(self) -> str:
        """Name of the strategy."""


class FaultError(ValueError):
    """A fault is invalid; the message says what is allowed."""


class FaultKind(StrEnum):
    """Kinds of faults."""

    LATENCY = "latency"
    """Green responds late."""
    ERRORS = "errors"
    """Green responds 500 to some requests."""
    HANG = "hang"
    """Green accepts connections and never responds."""
    CRASH = "crash"
    """Green's processes die, and so do their replacements: connections are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of green's tasks, which lasts until they are stopped.

    Parameters
    ----------
    kind
        What goes wrong.
    seconds
        `latency`: added to each response.
    percent
        `errors`: share of the requests with status 500. `latency`: added to each response, in per cent of its own
        time; replaces `seconds`.
    from_percent
        Green's share of the production traffic at which the fault begins.
    from_stage
        Stage at which the fault begins; POST_SCALE_UP where neither is given.

    Raises
    ------
    FaultError
        If a value is not allowed.
    """

    kind: FaultKind
    seconds: float | None = None
    percent: float | None = None
    from_percent: float | None = None
    from_stage: str | None = None

    def __post_init__(self) -> None:
        """Fill in the defaults, and refuse values that are not allowed."""
        self._check_value()
        if self.from_stage is None and self.from_percent is None:
            object.__setattr__(self, "from_stage", str(STAGES[0]))
        if self.from_stage is not None and self.from_percent is not None:
            raise FaultError("a fault begins at a percentage or at a stage; give one of them, not both")
        if self.from_stage is not None and self.from_stage not in STAGES:
            raise FaultError(f"a fault cannot begin at {self.from_stage}; allowed stages: {', '.join(STAGES)}")

    def _check_value(self) -> None:
        match self.kind:
            case FaultKind.LATENCY:
                if self.seconds is None and self.percent is None:
                    object.__setattr__(self, "seconds", LATENCY_SECONDS)
                given = [each for each in (self.seconds, self.percent) if each is not None]
                if len(given) != 1 or given[0] <= 0:
                    raise FaultError(
                        "latency must be greater than 0: a time or a percentage, such as 300ms, 2s or +30%"
                    )
            case FaultKind.ERRORS:
                if self.percent is None:
                    object.__setattr__(self, "percent", ERRORS_PERCENT)
                if self.seconds is not None or self.percent is None or not 0 < self.percent <= 100:  # noqa: PLR2004
                    raise FaultError("errors must be a percentage above 0 % and up to 100 %, such as 20%")
            case _:
                if self.seconds is not None or self.percent is not None:
                    raise FaultError(f"{self.kind} takes no value")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parse `KIND[=VALUE][@WHEN]`.

        `latency=300ms`, `latency=2s`, `latency=+30%`, `errors=20%`, `hang` or `crash`; `@50%` for that share of the
        production traffic, `@POST_TEST_TRAFFIC_SHIFT` for a stage.

        Raises
        ------
        FaultError
            If the text is not a valid fault.
        """
        form = _FORM.fullmatch(text)
        assert form is not None, "every text matches"
        kind, value, when = form.group("kind", "value", "when")
        if kind not in list(FaultKind):
            raise FaultError(f"unknown fault {kind or '(empty)'}; known faults: {', '.join(FaultKind)}")
        return cls(kind=FaultKind(kind), **_parse_value(FaultKind(kind), value), **_parse_when(when))

    def check(self, service: Stepped) -> None:
        """Refuse a fault that would never begin in a deployment of a service, or deployment group.

        Raises
        ------
        FaultError
            If green never gets that share of the production traffic.
        """
        if self.from_percent is None:
            return
        shares = [step.percent for step in service.steps]
        if not 0 < self.from_percent <= max(shares):
            known = ", ".join(f"{share:g} %" for share in shares)
            raise FaultError(
                f"green never gets {self.from_percent:g} % of the production traffic; with {service.strategy}: {known}"
            )

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.what}@{f'{self.from_percent:g}%' if self.from_stage is None else self.from_stage}"

    @property
    def what(self) -> str:
        """The kind and the value, without the beginning."""
        if self.seconds is not None:
            return f"{self.kind}={f'{self.seconds:g}s' if self.seconds >= 1 else f'{self.seconds * 1000:g}ms'}"
        if self.percent is not None:
            return f"{self.kind}={'+' if self.kind is FaultKind.LATENCY else ''}{self.percent:g}%"
        return str(self.kind)


class FaultSchedule:
    """The faults of one deployment, each due once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._waiting = list(faults)

    def due(self, *, stage: str | None = None, percent: float = 0) -> list[Fault]:
        """Return the faults that begin at a stage, or at green's share of the production traffic."""
        due = [
            fault
            for fault in self._waiting
            if (fault.from_percent is None and fault.from_stage == stage)
            or (fault.from_percent is not None and percent >= fault.from_percent)
        ]
        self._waiting = [fault for fault in self._waiting if fault not in due]
        return due


def _parse_value(kind: FaultKind, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    match kind:
        case FaultKind.LATENCY:
            if time := _TIME.fullmatch(text):
                return {"seconds": float(time.group(1)) * _UNITS[time.group(2)]}
            if text.startswith("+") and (percent := _PERCENT.fullmatch(text[1:])):
                return {"percent": float(percent.group(1))}
            raise FaultError(
                f"latency={text}: not a time with its unit, such as 300ms or 2s, nor a percentage such as +30%"
            )
        case FaultKind.ERRORS:
            if percent := _PERCENT.fullmatch(text):
                return {"percent": float(percent.group(1))}
            raise FaultError(f"errors={text}: not a percentage of the requests, such as 20%")
    raise FaultError(f"{kind} takes no value")


def _parse_when(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if percent := _PERCENT.fullmatch(text):
        return {"from_percent": float(percent.group(1))}
    if text in STAGES:
        return {"from_stage": text}
    raise FaultError(
        f"@{text}: not a percentage of the production traffic, such as @50%, nor one of the stages {', '.join(STAGES)}"
    )
