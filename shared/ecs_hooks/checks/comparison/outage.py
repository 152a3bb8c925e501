"""Breaks that the whole window would hide, or find too late: an outage in the last minutes.

The comparison over the window cannot see fewer than about half of its minutes. So each look at the datapoints also examines
the last minutes. A plain outage is a break at once; a smaller break is where each of the last minutes is worse than the minutes
before, and than every minute of blue, by much. All looks share a part of the error budget (Bonferroni's inequality holds
whatever their dependence, and needs no record of earlier looks: a look that was lost or repeated changes nothing).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecs_hooks.checks.statistics.by_minute import Counts, compare_counts, total

BREAK_MINUTES = 3
"""Minutes of a break."""

FACTOR = 2.5
"""How many times the allowed value a latency is in a break."""

_BEFORE = 6
"""Minutes before a break: fewer do not show whether green has bursts now and then."""

_OUTAGE_MINUTES = 2
_OUTAGE = 0.2
"""Share of requests, above blue's, that is a plain outage after two minutes."""


def share_break(minutes: Sequence[Counts], level: float, ratio: float = 1.0, *, plain: bool = True) -> int:
    """Return the number of the first minute after which green's share of hits has broken away from blue's; 0 for none.

    Parameters
    ----------
    minutes
        The counts by minute.
    level
        Probability of an error at one look.
    ratio
        How many times blue's share is allowed.
    plain
        Whether two minutes with an outage are enough.
    """
    for end in range(_OUTAGE_MINUTES, len(minutes) + 1):
        seen = total(minutes[:end])
        if seen.blue_size <= 0:
            continue
        usual = ratio * seen.blue_hits / seen.blue_size
        of_blue = max(map(_blue_share, minutes[:end]))
        for length in (_OUTAGE_MINUTES, BREAK_MINUTES):
            last, before = minutes[max(0, end - length) : end], minutes[: max(0, end - length)]
            least, earlier = min(map(_green_share, last)), [*map(_green_share, before)]
            is_outage = (
                plain and least > usual + _OUTAGE and (length == BREAK_MINUTES or least > max(earlier, default=0))
            )
            is_break = (
                length == BREAK_MINUTES and len(before) >= _BEFORE and least > max(usual, _worst_but_one(earlier))
            )
            if len(last) < length or least <= of_blue or not (is_outage or is_break):
                continue
            recent = total(last)
            pooled = Counts(recent.green_hits, recent.green_size, seen.blue_hits, seen.blue_size)
            if compare_counts([pooled], ratio=ratio).p_value < level:
                return end
    return 0


def value_break(ratios: Sequence[float]) -> int:
    """Return the number of the first minute after which green's values have broken away; 0 for none.

    Parameters
    ----------
    ratios
        Green's value divided by the allowed one, by minute.
    """
    for end in range(_BEFORE + BREAK_MINUTES, len(ratios) + 1):
        least = min(ratios[end - BREAK_MINUTES : end])
        if least > FACTOR and least > _worst_but_one(ratios[: end - BREAK_MINUTES]):
            return end
    return 0


def _worst_but_one(values: Sequence[float]) -> float:
    """Return the second highest value: a single bad minute before a break does not hide it."""
    return sorted(values)[-2]


def _green_share(minute: Counts) -> float:
    return minute.green_hits / minute.green_size if minute.green_size > 0 else 0.0


def _blue_share(minute: Counts) -> float:
    """Return blue's share; 0 for a single hit, which is much among few requests."""
    return minute.blue_hits / minute.blue_size if minute.blue_hits > 1 else 0.0
