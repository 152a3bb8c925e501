"""What was seen at one place of all responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ecs_hooks.checks.compare.values import Value


class Observed(NamedTuple):
    """What was seen at one place, such as a path of the JSON, in each of blue's answers and in each of green's.

    Parameters
    ----------
    path
        The place.
    blue, green
        By answer, in the order of time, the values that stand there: several where the path leads through arrays, none
        where there is nothing that could have it.
    is_secret
        Whether values must not be shown, as far as names tell.
    """

    path: str
    blue: Sequence[tuple[Value, ...]]
    green: Sequence[tuple[Value, ...]]
    is_secret: bool = False

    @property
    def varies(self) -> bool:
        """Whether the answers are not all the same."""
        first = self.blue[0]
        return any(each != first for each in (*self.blue, *self.green))

    @property
    def varies_in_blue(self) -> bool:
        """Whether blue differs from itself."""
        return any(each != self.blue[0] for each in self.blue)
