"""Which of several requests is whose turn, by weight and not by chance."""

from __future__ import annotations

from collections.abc import Sequence


def round_of(weights: Sequence[int]) -> list[int]:
    """Return the order of one round: the index of each weight, as many times as the weight says, evenly spread.

    That is smooth weighted round robin, as nginx has it: 3 and 1 give 0, 0, 1, 0, and not 0, 0, 0, 1.

    Parameters
    ----------
    weights
        The weights, each 1 or more.
    """
    total = sum(weights)
    owed = [0] * len(weights)
    order: list[int] = []
    for _ in range(total):
        owed = [have + weight for have, weight in zip(owed, weights, strict=True)]
        turn = owed.index(max(owed))
        owed[turn] -= total
        order.append(turn)
    return order
