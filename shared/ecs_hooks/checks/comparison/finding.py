"""What the comparison of one metric has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Undecided(Exception):  # noqa: N818 - it is no error, but a result
    """There are too few data for a comparison; the message says how many are required."""


class Finding(NamedTuple):
    """The result of a comparison.

    Parameters
    ----------
    p_value
        Probability of so large a difference where green is not worse than allowed.
    value, blue, limit
        Green's value, blue's, and the one that is allowed.
    statistic
        The statistic that was compared, if it is not that of the metric.
    notes
        Facts behind the result, for the reason of a failure.
    caveats
        What was compared in place of what the plan names, for every reason.
    detectable
        The smallest regression that would have been found with a probability of 80 %: a factor of blue's value, or
        percentage points for a share; infinite where nothing would have been found.
    broke
        Number of the first minute after which green has broken away from blue; 0 if it has not.
    in_points
        Whether `detectable` is in percentage points.
    """

    p_value: float
    value: float
    blue: float
    limit: float
    statistic: str
    notes: Sequence[str]
    caveats: Sequence[str]
    detectable: float
    broke: int
    in_points: bool = False
