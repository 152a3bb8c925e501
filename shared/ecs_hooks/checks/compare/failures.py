"""Failures of green, 5xx or no response, beside those of blue: one test per look, and one error budget for all looks.

The first failure brings more rounds, in looks at twice as many rounds each. Each look tests the two shares by Fisher's exact
test, and the looks share the false alarm rate: the first has half of it, the second a quarter, and so on (alpha spending: K. Lan
and D. DeMets, Discrete sequential boundaries for clinical trials, 1983, with the weights 2^-k). The sum never exceeds the rate,
however many looks there are, so by Bonferroni's inequality their number need not be known in advance: it depends on the time that
is left. Dependence between looks makes the bound only more cautious. Early looks get most of it, because a green that fails
always is to be found at the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.statistics.fisher import fisher_exact

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.comparable_response import Round


class Failures(NamedTuple):
    """The failures of both."""

    green: int
    rounds: int
    """Number of requests to green."""
    blue: int
    blue_requests: int
    kinds: Sequence[tuple[str, int]]
    """The failures of green in words, the most frequent first."""
    proved: bool = False
    """Whether green fails more often than blue by more than chance."""

    @property
    def suspected(self) -> bool:
        """Whether more rounds could prove that green fails more often."""
        return not self.proved and self.green * self.blue_requests > self.blue * self.rounds

    @property
    def percent(self) -> float:
        """Percentage of green's requests that fail."""
        return 100 * self.green / self.rounds if self.rounds else 0.0

    def exceed(self, max_percent: float | None) -> bool:
        """Return whether green fails more often than a fixed limit allows."""
        return max_percent is not None and self.percent > max_percent


def share_of_look(look: int, false_alarm_rate: float) -> float:
    """Return the share of an error rate for a look, of which 1 is the first."""
    return false_alarm_rate / (1 << look)


def failures(rounds: Sequence[Round], false_alarm_rate: float) -> Failures:
    """Return the failures of both.

    Parameters
    ----------
    rounds
        All rounds so far.
    false_alarm_rate
        The share of this look.
    """
    kinds = Counter(each.green.failure for each in rounds if each.green.failed)
    green, blue = kinds.total(), sum(response.failed for each in rounds for response in each.blue)
    size, other = len(rounds), 2 * len(rounds)
    proved = bool(green) and fisher_exact(green, size, blue, other) < false_alarm_rate
    return Failures(green, size, blue, other, kinds.most_common(), proved)
