"""What becomes of each part, for the reader."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What becomes of a part."""

    MOVES = "moves"
    """It is in what is printed, and means the same."""
    CHANGES = "changes"
    """It is there, and behaves otherwise."""
    TO_DO = "to do"
    """It is not there: somebody has to do it."""
    LOST = "lost"
    """ECS has nothing like it."""


class Note(NamedTuple):
    """What becomes of a part.

    Parameters
    ----------
    kind
        What becomes of it.
    subject
        The part, such as `BeforeInstall`.
    text
        The rest of the line.
    """

    kind: Kind
    subject: str
    text: str
