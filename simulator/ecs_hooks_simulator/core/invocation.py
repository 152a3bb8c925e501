"""Calls to what may take its time, from a deployment that is played in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ecs_hooks_simulator.core.errors import HookInvocationError
from ecs_hooks_simulator.core.hook_targets import LONGEST_INVOCATION

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.protocols import HookTarget

T = TypeVar("T")


async def invoked(target: HookTarget, event: dict[str, Any], clock: SimulationClock) -> Any:
    """Invoke a target with a copy of the event, and return what it answered.

    Raises
    ------
    HookInvocationError
        If it raised, answered what is no JSON, or took longer than its time-out; at most fifteen minutes in the
        simulation's time, while the target itself watches its real time.
    """
    limit = min(LONGEST_INVOCATION, getattr(target, "timeout_seconds", LONGEST_INVOCATION))
    try:
        async with asyncio.timeout(limit):
            return await clock.call(partial(_invoke, target, json.dumps(event)))
    except TimeoutError:
        raise HookInvocationError(f"Task timed out after {limit:.2f} seconds") from None


async def uninterrupted(clock: SimulationClock, function: Callable[[], T]) -> T:
    """Call the surroundings of a deployment: half a traffic shift or half a start is worse than a late stop."""
    work = asyncio.ensure_future(clock.call(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.result()
        raise


def _invoke(target: HookTarget, event: str) -> Any:
    """Whatever a target raises or returns besides JSON is an invocation error."""
    try:
        return json.loads(json.dumps(target.invoke(json.loads(event)), allow_nan=False))
    except HookInvocationError:
        raise
    except Exception as error:
        raise HookInvocationError(f"{type(error).__name__}: {error}", invoked=False) from error
