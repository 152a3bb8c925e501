"""Faults that are put into green at a step of a deployment: what goes wrong, and from when on.

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
from typing import TYPE_CHECKING, Any, Protocol

from ecs_hooks.core.event import Stage

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.strategy import Step

LATENCY_SECONDS = 6.0
"""How much later green answers, where nobody says: more than the 5 seconds that `golden_signals` allows by default."""
ERRORS_PERCENT = 50.0
"""Share of requests that are answered 500, where nobody says."""

STAGES = (
    Stage.POST_SCALE_UP,
    Stage.TEST_TRAFFIC_SHIFT,
    Stage.POST_TEST_TRAFFIC_SHIFT,
    Stage.PRE_PRODUCTION_TRAFFIC_SHIFT,
    Stage.PRODUCTION_TRAFFIC_SHIFT,
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
    "BAKE_TIME",
)
"""Stages at which a fault can begin: those at which green's tasks run and are watched. The first is the default."""

_FORM = re.compile(r"(?P<kind>[^=@]*)(=(?P<value>[^@]*))?(@(?P<when>.*))?", re.DOTALL)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_UNITS = {"ms": 0.001, "s": 1.0}


class Stepped(Protocol):
    """What moves production traffic in steps: a service, or a deployment group of CodeDeploy."""

    @property
    def steps(self) -> Sequence[Step]:
        """The shifts of production traffic."""

    @property
    def strategy(self) -> str:
        """What they are called together."""


class FaultError(ValueError):
    """A fault that can't be; the message says what would be right."""


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """Green answers late."""
    ERRORS = "errors"
    """Green answers some requests with 500."""
    HANG = "hang"
    """Green takes connections and never answers."""
    CRASH = "crash"
    """Green's processes die, and what ECS starts in their place dies as well: connections are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong in green's tasks, until they are stopped.

    Parameters
    ----------
    kind
        What.
    seconds
        `latency`: how much later green answers.
    percent
        `errors`: share of the requests that are answered 500. `latency`: by how much longer than otherwise an answer
        takes, in place of `seconds`.
    from_percent
        Green's share of the production traffic from which on it is so.
    from_stage
        The stage from which on it is so; POST_SCALE_UP where neither is given: as soon as green's tasks are healthy.

    Raises
    ------
    FaultError
        If there is no such fault.
    """

    kind: FaultKind
    seconds: float | None = None
    percent: float | None = None
    from_percent: float | None = None
    from_stage: str | None = None

    def __post_init__(self) -> None:
        """Fill in the defaults, and refuse what makes no sense."""
        match self.kind:
            case FaultKind.LATENCY:
                if self.seconds is None and self.percent is None:
                    object.__setattr__(self, "seconds", LATENCY_SECONDS)
                given = [each for each in (self.seconds, self.percent) if each is not None]
                _require(len(given) == 1 and given[0] > 0, "latency is more than nothing, such as 300ms, 2s or +30%")
            case FaultKind.ERRORS:
                if self.percent is None:
                    object.__setattr__(self, "percent", ERRORS_PERCENT)
                fits = self.seconds is None and self.percent is not None and 0 < self.percent <= 100  # noqa: PLR2004
                _require(fits, "errors are a share above 0 % and up to 100 %, such as 20%")
            case _:
                _require(self.seconds is None and self.percent is None, f"{self.kind} takes no value")
        if self.from_stage is None and self.from_percent is None:
            object.__setattr__(self, "from_stage", str(STAGES[0]))
        _require(self.from_stage is None or self.from_percent is None, "give a share or a stage, not both")
        _require(
            self.from_stage is None or self.from_stage in STAGES,
            f"a fault begins at one of {', '.join(STAGES)}, not at {self.from_stage}",
        )

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `KIND[=VALUE][@WHEN]`.

        `latency=300ms`, `latency=2s`, `latency=+30%`, `errors=20%`, `hang` or `crash`; `@50%` from that share of the
        production traffic on, `@POST_TEST_TRAFFIC_SHIFT` from that stage on.

        Raises
        ------
        FaultError
            If it is none.
        """
        form = _FORM.fullmatch(text)
        assert form is not None, "every text is of this form"
        kind, value, when = form.group("kind", "value", "when")
        if kind not in list(FaultKind):
            raise FaultError(f"there is no fault {kind or '(nothing)'}; there are {', '.join(FaultKind)}")
        return cls(kind=FaultKind(kind), **_value(FaultKind(kind), value), **_when(when))

    def check(self, service: Stepped) -> None:
        """Make sure that a deployment of a service (or deployment group) comes to where the fault begins.

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
        """Return it as `parse` reads it."""
        return f"{self.what}@{f'{self.from_percent:g}%' if self.from_stage is None else self.from_stage}"

    @property
    def what(self) -> str:
        """What goes wrong, without when."""
        if self.seconds is not None:
            return f"{self.kind}={f'{self.seconds:g}s' if self.seconds >= 1 else f'{self.seconds * 1000:g}ms'}"
        if self.percent is not None:
            return f"{self.kind}={'+' if self.kind is FaultKind.LATENCY else ''}{self.percent:g}%"
        return str(self.kind)


class FaultSchedule:
    """The faults of one deployment, each due once.

    Parameters
    ----------
    faults
        All of them.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._waiting = list(faults)

    def due(self, *, stage: str | None = None, percent: float = 0) -> list[Fault]:
        """Return the faults that begin when a stage is entered, or green's share of the production traffic is so large."""
        due = [
            fault
            for fault in self._waiting
            if (fault.from_percent is None and fault.from_stage == stage)
            or (fault.from_percent is not None and percent >= fault.from_percent)
        ]
        self._waiting = [fault for fault in self._waiting if fault not in due]
        return due


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - read as a sentence
    if not condition:
        raise FaultError(message)


def _value(kind: FaultKind, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if kind is FaultKind.LATENCY:
        if time := _TIME.fullmatch(text):
            return {"seconds": float(time.group(1)) * _UNITS[time.group(2)]}
        if text.startswith("+") and (percent := _PERCENT.fullmatch(text[1:])):
            return {"percent": float(percent.group(1))}
        raise FaultError(
            f"latency is a time with its unit, such as 300ms or 2s, or a share on top, such as +30%, not {text}"
        )
    if kind is FaultKind.ERRORS:
        if percent := _PERCENT.fullmatch(text):
            return {"percent": float(percent.group(1))}
        raise FaultError(f"errors are a share of the requests, such as 20%, not {text}")
    raise FaultError(f"{kind} takes no value")


def _when(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if percent := _PERCENT.fullmatch(text):
        return {"from_percent": float(percent.group(1))}
    if text in STAGES:
        return {"from_stage": text}
    raise FaultError(
        f"a fault begins at a share of the production traffic, such as @50%, or at one of {', '.join(STAGES)}"
    )
