"""Probabilities of the beta, binomial and Student's t distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_TERMS = 100_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the probability of at most `x` in a beta distribution (regularized incomplete beta function).

    Equals `scipy.stats.beta.cdf`.

    Parameters
    ----------
    x
        0 to 1.
    a, b
        The parameters of the distribution, greater than 0.
    """
    if x <= 0 or x >= 1:
        return float(x > 0)
    # The continued fraction converges fast below the mean only.
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    return _beta_tail(x, a, b)


@lru_cache(maxsize=4096)
def _beta_tail(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function by its continued fraction (Lentz's method)."""
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    fraction = c = 1.0
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _MAX_TERMS):
        before = fraction
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + numerator * d)
            c = _not_zero(1 + numerator / c)
            fraction *= c * d
        if abs(fraction - before) <= _PRECISION * abs(fraction):
            break
    return math.exp(logarithm) * fraction / a


def _not_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def binomial_tail(hits: float, size: float, share: float) -> float:
    """Return the probability of at least `hits` in `size` trials that succeed with probability `share`.

    Equals `scipy.stats.binom.sf(hits - 1, size, share)`.
    """
    if hits <= 0:
        return 1.0
    if hits > size:
        return 0.0
    return beta_cdf(share, hits, size - hits + 1)


def binomial_share(hits: float, size: float, tail: float) -> float:
    """Return the share of successes at which at least `hits` of `size` trials succeed with the probability `tail`.

    It is the lower bound of Clopper and Pearson's interval; 1 if there are fewer trials.
    """
    return _root(lambda share: binomial_tail(hits, size, share) - tail, 0, 1)


def clopper_pearson(hits: float, size: float, confidence: float) -> tuple[float, float]:
    """Return the exact confidence interval of a share (Clopper and Pearson 1934).

    Equals `scipy.stats.binomtest(hits, size).proportion_ci(confidence, method="exact")`.

    Parameters
    ----------
    hits, size
        Number of successes and of trials; without trials the interval is 0 to 1.
    confidence
        Probability that the interval contains the share, such as 0.95.
    """
    tail = (1 - confidence) / 2
    lower = binomial_share(hits, size, tail) if hits > 0 else 0.0
    upper = _root(lambda share: tail - 1 + binomial_tail(hits + 1, size, share), 0, 1) if hits < size else 1.0
    return lower, upper


def student_t_tail(t: float, freedom: float) -> float:
    """Return the probability of at least `t` in Student's t distribution with so many degrees of freedom.

    Equals `scipy.stats.t.sf`.
    """
    if math.isinf(t):
        return float(t < 0)
    square = t * t
    if square < freedom:  # the other form would lose digits near 0, and this one far from it
        tail = 0.5 - beta_cdf(square / (freedom + square), 0.5, freedom / 2) / 2
    else:
        tail = beta_cdf(freedom / (freedom + square), freedom / 2, 0.5) / 2
    return tail if t >= 0 else 1 - tail


@lru_cache(maxsize=1024)
def student_t_quantile(tail: float, freedom: float) -> float:
    """Return the value that Student's t distribution exceeds with the probability `tail`, at most 0.5.

    Equals `scipy.stats.t.isf`.
    """
    upper = 1.0
    while student_t_tail(upper, freedom) > tail:
        upper *= 2
    return _root(lambda t: tail - student_t_tail(t, freedom), 0, upper)


def normal_tail(z: float) -> float:
    """Return the probability of at least `z` in the standard normal distribution; equals `scipy.stats.norm.sf`."""
    return math.erfc(z / math.sqrt(2)) / 2


def normal_quantile(tail: float) -> float:
    """Return the value that the standard normal distribution exceeds with the probability `tail`, at most 0.5."""
    return _root(lambda z: tail - normal_tail(z), 0, 40)


def _root(increasing: Callable[[float], float], lower: float, upper: float) -> float:
    """Return where an increasing function is 0, by bisection."""
    while True:
        middle = (lower + upper) / 2
        if middle in (lower, upper):
            return middle
        if increasing(middle) < 0:
            lower = middle
        else:
            upper = middle
