"""Work that something else may bring to an early end."""

from __future__ import annotations

import asyncio
from typing import Any


async def race(work: asyncio.Task[None], *others: asyncio.Task[Any], seconds: float | None = None) -> bool:
    """Wait for work, and return whether something else was over first; afterwards all of it is over.

    Parameters
    ----------
    work
        The work. An error of it is raised, also one that comes while it is being stopped.
    *others
        What ends it.
    seconds
        Longest wait.
    """
    tasks = {work, *others}
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped = not work.done()
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)
    if not work.cancelled():
        # An error of the surroundings while they were being stopped must not get lost.
        work.result()
    return stopped
