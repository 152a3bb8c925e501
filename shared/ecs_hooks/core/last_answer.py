"""The last answer of a hook, and the time since then, also where the clocks of the function's instances disagree."""

from __future__ import annotations

import re
from typing import NamedTuple

EARLY_SECONDS = 30
"""Seconds by which an invocation may be earlier than the answer before it requested, without doubts about the clock."""

_MOST_OWED = 999_999
_FORM = re.compile(r"(\d{1,12})\.(\d{1,6})\.(-?\d{1,6})\.([01])([01])\.([0-9a-f]{8})\.([0-9a-f]{8}|)")


class LastAnswer(NamedTuple):
    """The last answer of a hook.

    Parameters
    ----------
    at
        When it was given, in seconds since the epoch by the clock of its instance; 0 if there is none.
    delay
        Seconds until the next invocation that it requested.
    owed
        Sum of the delays that answers requested, less the time that was counted for them.
    is_doubtful
        Whether a clock was wrong after more time was counted than requested, so that some of it may not have passed.
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
    is_doubtful: bool = False
    is_verified: bool = False
    id: str = ""
    after: str = ""

    @classmethod
    def decode(cls, text: object) -> LastAnswer:
        """Return the answer in a text from `encode`; none if the text is another one."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            return cls()
        at, delay, owed, is_doubtful, is_verified, own, after = match.groups()
        return cls(int(at), int(delay), int(owed), is_doubtful == "1", is_verified == "1", own, after)

    def encode(self) -> str:
        """Return the answer as text."""
        flags = f"{int(self.is_doubtful)}{int(self.is_verified)}"
        return f"{self.at}.{self.delay}.{self.owed}.{flags}.{self.id}.{self.after}" if self.at else ""

    def is_plausible(self, now: float, late_seconds: float) -> bool:
        """Return whether an invocation is about when the answer requested it. If not, one of two clocks may be wrong.

        Parameters
        ----------
        now
            Its time.
        late_seconds
            Seconds by which it may be late.
        """
        # A clock that goes back is wrong by however little.
        return max(0, self.delay - EARLY_SECONDS) <= now - self.at <= self.delay + late_seconds

    def elapsed(self, now: float, late_seconds: float, *, is_verified: bool) -> tuple[float, LastAnswer]:
        """Return the seconds since the answer, and the answer with what is owed now; see `is_plausible`.

        The time is that of the clock if both times are AWS's, or if it is plausible. If it is not, no more than the delays
        that were requested counts, since ECS invokes no earlier: so no clock ends anything early. If a clock shows less,
        that counts, and the difference is owed until a clock shows more: so the sum is late by no more than clocks differ.
        """
        seconds = now - self.at
        if self.is_verified and is_verified:
            return max(0.0, seconds), self
        is_plausible = self.is_plausible(now, late_seconds)
        is_doubtful = self.owed < 0 and (self.is_doubtful or not is_plausible)
        counted = seconds
        if is_doubtful or not is_plausible:
            counted = min(seconds, float(self.delay + self.owed))
        counted = max(0.0, counted)
        owed = max(-_MOST_OWED, min(self.owed + round(self.delay - counted), _MOST_OWED))
        return counted, self._replace(owed=owed, is_doubtful=is_doubtful and owed < 0)
