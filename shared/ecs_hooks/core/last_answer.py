"""The last answer of a hook, and the time since then, also where the clocks of the function's instances disagree."""

from __future__ import annotations

import re
from typing import NamedTuple

EARLY_SECONDS = 30
"""Seconds by which an invocation may be earlier than the answer before it requested, without doubts about the clock."""

_FORM = re.compile(r"(\d{1,12})\.(\d{1,6})\.(\d{1,6})\.([01])\.([0-9a-f]{8})\.([0-9a-f]{8}|)")


class Elapsed(NamedTuple):
    """The time between an answer and the next invocation.

    Parameters
    ----------
    seconds
        The time that counts.
    owed
        Seconds that an earlier time was too short; see `LastAnswer.owed`.
    is_plausible
        Whether the clock's time is about the delay that the answer requested.
    """

    seconds: float
    owed: int = 0
    is_plausible: bool = True


class LastAnswer(NamedTuple):
    """The last answer of a hook.

    Parameters
    ----------
    at
        When it was given, in seconds since the epoch by the clock of its instance; 0 if there is none.
    delay
        Seconds until the next invocation that it requested.
    owed
        Seconds by which clocks were behind the requested delays so far. A later clock that is ahead makes up for them.
    is_verified
        Whether its clock was AWS's.
    id
        Identifies the answer.
    after
        Identifies the answer before it; empty if it is the first one.
    """

    at: int = 0
    delay: int = 0
    owed: int = 0
    is_verified: bool = False
    id: str = ""
    after: str = ""

    @classmethod
    def decode(cls, text: object) -> LastAnswer:
        """Return the answer in a text from `encode`; none if the text is another one."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            return cls()
        at, delay, owed, is_verified, own, after = match.groups()
        return cls(int(at), int(delay), int(owed), is_verified == "1", own, after)

    def encode(self) -> str:
        """Return the answer as text."""
        return f"{self.at}.{self.delay}.{self.owed}.{int(self.is_verified)}.{self.id}.{self.after}" if self.at else ""

    def elapsed(self, now: float, late_seconds: float, *, is_verified: bool) -> Elapsed:
        """Return the time since the answer.

        It is that of the clock if both times are AWS's, or if it is about the requested delay. If it is not, one of two
        clocks may be wrong, and no more than the requested delay counts, which has passed in any case: so no clock ends
        anything early. If the clock shows less, that counts, and the difference is owed until a clock shows more: so the
        sum is late by no more than the clocks differ.

        Parameters
        ----------
        now
            The time of this invocation.
        late_seconds
            Seconds by which an invocation may be later than requested.
        is_verified
            Whether that time is AWS's.
        """
        seconds = now - self.at
        is_plausible = self.delay - EARLY_SECONDS <= seconds <= self.delay + late_seconds
        if self.is_verified and is_verified:
            return Elapsed(max(0.0, seconds), self.owed, is_plausible)
        if seconds < self.delay:
            counted = max(0.0, seconds)
            return Elapsed(counted, min(self.owed + round(self.delay - counted), 999_999), is_plausible)
        if is_plausible:
            return Elapsed(seconds, self.owed)
        made_up = min(self.owed, int(seconds - self.delay))
        return Elapsed(self.delay + made_up, self.owed - made_up, is_plausible=False)
