"""A generator that does not get to run."""

from __future__ import annotations

import sys
import time


def starve(seconds: float) -> None:
    """Keep the interpreter from every other thread, as a processor that somebody else needs would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
    finally:
        sys.setswitchinterval(interval)
