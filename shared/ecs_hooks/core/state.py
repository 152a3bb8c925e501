"""The state of a hook between two invocations.

ECS hands `hookDetails`, returned with IN_PROGRESS, to the next invocation of the same hook; there is no other store.
How ECS merges it is not documented (deeply, shallowly or not at all), so the state is one flat object under one key,
every key of it is written every time, and no value is an object or an array: every kind of merge yields the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from ecs_hooks.core.event import STATE_KEY
from ecs_hooks.core.last_answer import LastAnswer
from ecs_hooks.core.measurement import Measured
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.sent_requests import MAX_LENGTH

if TYPE_CHECKING:
    from ecs_hooks.core.event import HookEvent

VERSION = 1

MAX_BYTES = 4_096
"""Limit of the state as JSON. ECS documents no limit of `hookDetails`, so ours is small."""

_MAX_COUNT = 99_999
_ENTRY = re.compile(r"([0-9a-f]{8}):([PEW])(\d{0,5})(?:m(\d{1,5})\.(\d{1,5})\.(\d{1,5})\.(\d{1,5})\.(\d{1,6}))?")

MAX_WATCHED = 80
"""Number of checks with measurements that always fit into the state."""


class Progress(NamedTuple):
    """The progress of one check.

    Parameters
    ----------
    settled
        Whether it passed, or does not apply; it does not run again at this step.
    errors
        Errors in a row.
    waits
        Number of times that it was undecided.
    measured
        The measurements so far of a check with a watch.
    """

    settled: bool = False
    errors: int = 0
    waits: int = 0
    measured: Measured | None = None

    def after(self, outcome: Outcome, measured: Measured | None = None) -> Progress:
        """Return the progress after one more outcome, and the measurements with it.

        Without new ones the old ones stay: the check may not have finished in time.
        """
        measured = self.measured if measured is None else measured
        match outcome.status:
            case Status.ERROR:
                return Progress(errors=min(self.errors + 1, _MAX_COUNT), measured=measured)
            case Status.WAIT:
                return Progress(waits=min(self.waits + 1, _MAX_COUNT), measured=measured)
            case Status.PASS | Status.SKIP:
                return Progress(settled=True)
            case _:
                return Progress()

    def _encode(self) -> str:
        if self.settled:
            return "P"
        count = f"E{self.errors}" if self.errors else f"W{self.waits}"
        return count if self.measured is None else f"{count}m{'.'.join(map(str, self.measured))}"


class State(NamedTuple):
    """The state of one hook at one step of one deployment.

    Parameters
    ----------
    step
        The step that the state belongs to; see `step_of`.
    started_at
        When the hook was first invoked at this step, in seconds since the epoch, by the clock of this invocation.
    attempt
        Number of invocations at this step, including this one.
    expires_at
        When ECS gives up on the hook, by the same clock: 0 where it was not read yet, -1 where it is unknown.
    progress
        The progress of each undecided or settled check, by its key.
    facts
        Facts about the deployment as JSON; see `ecs_hooks.deployment.facts`.
    last
        The last answer.
    is_plausible
        Whether the time since the last answer is about what it requested. If not, one of two clocks may be wrong.
    sent
        The requests to green, as `SentRequests.dump` returns them.
    """

    step: str
    started_at: int
    attempt: int = 1
    expires_at: int = 0
    progress: Mapping[str, Progress] = MappingProxyType({})
    facts: str = ""
    last: LastAnswer = LastAnswer()
    is_plausible: bool = True
    sent: str = ""

    @classmethod
    def load(
        cls, stored: object, event: HookEvent, now: float, *, is_verified: bool = False, late_seconds: float = 30
    ) -> State:
        """Return the state of this invocation: the stored one, or a new one where that does not fit.

        State of another deployment, stage or traffic step, of another version of this library, or that was edited, is
        dropped. The worst consequence is that a check runs once more.

        Parameters
        ----------
        stored
            The value of `ecsHooks` in the event.
        event
            The event.
        now
            Seconds since the epoch.
        is_verified
            Whether that is AWS's time.
        late_seconds
            Seconds by which the controller may be late to invoke a hook again.
        """
        step = step_of(event)
        fresh = cls(step=step, started_at=int(now))
        if not isinstance(stored, Mapping) or stored.get("version") != VERSION or stored.get("step") != step:
            return fresh
        started_at, attempt = stored.get("startedAt"), stored.get("attempt")
        expires_at, checks, facts = stored.get("expiresAt"), stored.get("checks"), stored.get("facts")
        sent = stored.get("sent")
        if not (_is_count(started_at) and _is_count(attempt) and isinstance(checks, str)):
            return fresh
        loaded = cls(
            step=step,
            started_at=started_at,
            attempt=min(attempt + 1, _MAX_COUNT),
            expires_at=expires_at if _is_count(expires_at) else -1,
            progress=_decode(checks[:MAX_BYTES]),
            facts=facts if isinstance(facts, str) and len(facts) <= MAX_BYTES else "",
            last=LastAnswer.decode(stored.get("last")),
            sent=sent if isinstance(sent, str) and len(sent) <= MAX_LENGTH else "",
        )
        if loaded.last.at:
            is_plausible = loaded.last.is_plausible(now, late_seconds)
            seconds, last = loaded.last.elapsed(now, late_seconds, is_verified=is_verified)
            loaded = loaded._replace(last=last, is_plausible=is_plausible)
            loaded = loaded.by_another_clock(now - last.at - seconds)
        # A start in the future would only postpone the deadline.
        return loaded._replace(started_at=min(loaded.started_at, int(now)))

    def by_another_clock(self, seconds: float) -> State:
        """Return the state with the times of a clock that is ahead by these seconds."""
        ahead = math.ceil(seconds)  # not early
        expires_at = max(1, self.expires_at + ahead) if self.expires_at > 0 else self.expires_at
        return self._replace(started_at=max(0, self.started_at + ahead), expires_at=expires_at)

    def answered(self, now: float, delay: int, own: str, *, is_verified: bool) -> State:
        """Return the state after an answer.

        Parameters
        ----------
        now
            Seconds since the epoch.
        delay
            Seconds until the next invocation that it requests.
        own
            Identifies the answer.
        is_verified
            Whether `now` is AWS's time.
        """
        return self._replace(
            last=self.last._replace(at=int(now), delay=delay, is_verified=is_verified, id=own, after=self.last.id)
        )

    def with_failures(self, failures: Mapping[str, int]) -> State:
        """Return the state with further failed measurements, by the keys of their checks."""
        progress = dict(self.progress)
        for key, number in failures.items():
            before = progress.get(key, Progress())
            measured = before.measured or Measured()
            if not before.settled:
                measured = measured._replace(failed=measured.failed + number, streak=0)
                progress[key] = before._replace(measured=measured)
        return self._replace(progress=progress)

    def after(
        self, outcomes: Iterable[tuple[str, Outcome]], measured: Mapping[str, Measured] = MappingProxyType({})
    ) -> State:
        """Return the state after these outcomes, each with the key of its check, and measurements by the same keys."""
        progress = dict(self.progress)
        for key, outcome in outcomes:
            progress[key] = progress.get(key, Progress()).after(outcome, measured.get(key))
        return self._replace(progress=progress)

    def without(self, key: str) -> State:
        """Return the state without the progress of one check."""
        return self._replace(progress={each: progress for each, progress in self.progress.items() if each != key})

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values, never larger than `MAX_BYTES`.

        Where not everything fits, facts are dropped first and then settled checks (they run again), then the number of
        waits; measurements and counts of errors stay longest, since they have limits. The plan's deadline needs none of
        them.
        """
        stored: dict[str, Any] = {
            "version": VERSION,
            "step": self.step,
            "startedAt": self.started_at,
            "attempt": self.attempt,
            "expiresAt": self.expires_at,
            "last": self.last.encode(),
            "sent": self.sent,
            "checks": "",
            "facts": "",
        }
        room = MAX_BYTES - size(stored)
        order = sorted(
            self.progress.items(), key=lambda item: (item[1].settled, item[1].measured is None, item[1].errors == 0)
        )
        entries = []
        for key, progress in order:
            entry = f"{key}:{progress._encode()}"  # noqa: SLF001 - the two halves of one file format
            room -= len(entry) + 1
            if room < 0:
                break
            entries.append(entry)
        stored["checks"] = " ".join(entries)
        if size(self.facts) - size("") <= room:
            stored["facts"] = self.facts
        return stored


def step_of(event: HookEvent) -> str:
    """Return a digest of the step that state belongs to."""
    return _digest(event.step, 16)


def key_of(description: object, occurrence: int = 0) -> str:
    """Return the key of a check in the state: equal in every invocation, different after any change of the check.

    Parameters
    ----------
    description
        The check as JSON values.
    occurrence
        Number of equal checks before it in the same hook.
    """
    return _digest([description, occurrence], 8)


def size(stored: object) -> int:
    """Return the number of bytes of a value as JSON."""
    return len(json.dumps(stored).encode())


def with_state(configuration: Mapping[str, Any], state: State) -> dict[str, Any]:
    """Return the `hookDetails` of an IN_PROGRESS answer: the configuration, and the state beside it.

    Whether ECS keeps keys that an answer leaves out is not documented, so none is left out. Values that cannot be encoded
    again (half a surrogate pair, NaN) are replaced, since Lambda would fail to return the answer.
    """
    details = {**configuration, STATE_KEY: state.dump()}
    try:
        json.dumps(details, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        text = json.dumps(details, ensure_ascii=False).encode("utf-8", "replace").decode()
        details = json.loads(text, parse_constant=lambda _: None)
    return details


def _digest(value: object, digits: int) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 10**12


def _decode(checks: str) -> dict[str, Progress]:
    progress: dict[str, Progress] = {}
    for entry in checks.split():
        match = _ENTRY.fullmatch(entry)
        if match is None:
            continue
        key, kind, count, *measured = match.groups()
        number = int(count or 0)
        progress[key] = Progress(
            settled=kind == "P",
            errors=number if kind == "E" else 0,
            waits=number if kind == "W" else 0,
            measured=Measured(*map(int, measured)) if measured[0] is not None else None,
        )
    return progress
