"""The requests that a hook has sent to green, by minute, so that they do not count as requests of users."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

from ecs_hooks.core import clock

MAX_LENGTH = 160
"""Maximum length of the counts as text; the oldest minutes are left out first."""

_MINUTE = 60
_RUN = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:x(\d{1,4}))?")
_MOST = 999_999


class Sent(NamedTuple):
    """A number of requests, and how many of them were answered with a server error (5xx)."""

    requests: int = 0
    failed: int = 0


class SentRequests:
    """Counts the requests of a hook to green, over all invocations of a step, from several threads at a time.

    Parameters
    ----------
    counts
        The counts of earlier invocations, by minutes since the epoch.
    """

    def __init__(self, counts: Mapping[int, Sent] | None = None) -> None:
        self._counts = dict(counts or {})
        self._lock = threading.Lock()

    @classmethod
    def load(cls, text: str) -> SentRequests:
        """Return the counts that `dump` has returned as text; none where it was altered."""
        first, *runs = text.split() or [""]
        counts: dict[int, Sent] = {}
        if re.fullmatch(r"\d{1,9}", first):
            minute = int(first)
            for run in runs:
                match = _RUN.fullmatch(run)
                if match is None:
                    return cls()
                requests, failed, times = (int(each or 0) for each in match.groups())
                for _ in range(times or 1):
                    if requests:
                        counts[minute] = Sent(requests, failed)
                    minute += 1
        return cls(counts)

    def dump(self) -> str:
        """Return the counts as text, at most `MAX_LENGTH` long: the first minute, then the counts of each minute.

        `12` are 12 requests, `12.3` have 3 failures among them, and `12x5` are five such minutes.
        """
        with self._lock:
            counts = dict(self._counts)
        if not counts:
            return ""
        minute, last = min(counts), max(counts)
        entries = [_entry(counts.get(each, Sent())) for each in range(minute, last + 1)]
        runs = [(entry, len(list(group))) for entry, group in groupby(entries)]
        while True:
            texts = [f"{entry}x{times}" if times > 1 else entry for entry, times in runs]
            text = " ".join([str(minute), *texts])
            if len(text) <= MAX_LENGTH:
                return text
            minute += runs[0][1]
            del runs[0]

    def add(self, *, failed: bool) -> None:
        """Count a request, at the time of its end.

        Parameters
        ----------
        failed
            Whether it was answered with a server error.
        """
        minute = int(clock.now() // _MINUTE)
        with self._lock:
            before = self._counts.get(minute, Sent())
            self._counts[minute] = Sent(min(before.requests + 1, _MOST), min(before.failed + failed, _MOST))

    def between(self, begin: float, end: float) -> Sent:
        """Return the counts of the minutes that start in an interval, in seconds since the epoch."""
        with self._lock:
            found = [sent for minute, sent in self._counts.items() if begin <= minute * _MINUTE < end]
        return Sent(sum(each.requests for each in found), sum(each.failed for each in found))


def _entry(sent: Sent) -> str:
    return f"{sent.requests}.{sent.failed}" if sent.failed else f"{sent.requests}"
