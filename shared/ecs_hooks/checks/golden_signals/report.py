"""The requests of the golden signals check in words, and as evidence."""

from __future__ import annotations

from ecs_hooks.checks.golden_signals.evaluate import (
    SLOW_PERCENT,
    Counts,
    Failure,
    Limits,
    Measured,
    detectable_percent,
    most_failed,
    most_slow,
)
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence

_POOR = 1.5
"""Multiple of a limit: the reason says so if only more than that would have been found."""

_FEW_REQUESTS = 100
"""Number of requests below which those of other hooks could be a large part."""


def summary(found: Measured, limits: Limits, *, decided: bool) -> str:
    """Return requests, errors and latency in one line; where it is decided, with what the numbers are worth."""
    errors, latency = found.errors, found.latency
    own = [each for each in [own_requests(found)] if each]
    if not errors.size:
        return "no requests"
    others = decided and (own or errors.size < _FEW_REQUESTS)
    notes = "; ".join([*own, "may include requests of other hooks"]) if others else ""
    text = f"{errors.size:,.0f} request{'' if errors.size == 1 else 's'}{f' ({notes})' if notes else ''}"
    if found.silent:
        return f"{text}, no responses"
    text += f", {errors.percent:.3g} % failed{f' ({_interval(errors)})' if decided else ''}"
    if latency.bad or found.latency_known:
        text += (
            f", {'' if found.latency_known else 'at least '}{latency.percent:.3g} % slower than {limits.seconds:g} s"
        )
        text += f" ({latency.bad:,.0f} of {latency.size:,.0f}{_warm_up(found, limits)})"
    return text


def own_requests(found: Measured) -> str:
    """Return the number of this hook's own requests in words; empty for none."""
    return f"{found.own.requests:,} of this hook not counted" if found.own.requests else ""


def exceeded(failed: Failure, found: Measured, limits: Limits) -> str:
    """Return the limit that green exceeds, and in which part of the window."""
    begun = found.judged if failed.signal == "latency" else 0
    expected, bad = {
        "errors": (f"expected at most {limits.failed_percent:g} % to fail", "failed"),
        "silence": (f"expected at most {limits.failed_percent:g} % to fail", "without a response"),
        "latency": (f"expected at most {SLOW_PERCENT:g} % to be slower (p99)", "slower"),
    }[failed.signal]
    if failed.first <= begun and failed.last + 1 >= len(found.periods):
        return expected
    minutes = f"{failed.first * limits.period_minutes + 1:g} to {(failed.last + 1) * limits.period_minutes:g}"
    return f"{expected}; in minutes {minutes}: {failed.counts.bad:,.0f} of {failed.counts.size:,.0f} {bad}"


def power(found: Measured, limits: Limits) -> str:
    """Return in words what would not have been found, where that is more than half above a limit; empty otherwise."""
    errors, latency = _detectable(found, limits)
    texts = []
    if errors > max(_POOR * limits.failed_percent, SLOW_PERCENT):
        texts.append(f"{errors:.2g} % of errors")
    if latency > _POOR * SLOW_PERCENT:
        texts.append(f"{latency:.2g} % of slow requests")
    return f"; would not have found less than {' or '.join(texts)}" if texts else ""


def evidence(found: Measured, limits: Limits) -> Evidence:
    """Return the numbers behind the reason; `*_detectable` is what fails with a probability of 80 %."""
    errors, latency = found.errors, found.latency
    found_errors, found_slow = _detectable(found, limits)
    (errors_from, errors_to), (slow_from, slow_to) = errors.interval, latency.interval
    return {
        "requests": errors.size,
        "own_requests": found.own.requests,
        "failed_percent": round(errors.percent, 4),
        "failed_percent_limit": limits.failed_percent,
        "failed_percent_from": round(errors_from, 4),
        "failed_percent_to": round(errors_to, 4),
        "failed_percent_detectable": round(found_errors, 4),
        "responses": latency.size,
        "slow_percent": round(latency.percent, 4) if found.latency_known else None,
        "slow_percent_limit": SLOW_PERCENT,
        "slow_percent_from": round(slow_from, 4),
        "slow_percent_to": round(slow_to, 4),
        "slow_percent_detectable": round(found_slow, 4),
        "slowest_p99_seconds": found.slowest,
        "slowest_p99_seconds_limit": limits.seconds,
    }


def _detectable(found: Measured, limits: Limits) -> tuple[float, float]:
    errors, latency = found.errors.size, found.latency.size
    return (
        detectable_percent(errors, most_failed(errors, limits.failed_percent)),
        detectable_percent(latency, most_slow(latency)),
    )


def _interval(counts: Counts) -> str:
    lower, upper = counts.interval
    return f"95 % confidence: {lower:.2g} to {upper:.3g} %"


def _warm_up(found: Measured, limits: Limits) -> str:
    if not found.warm_up_responses:
        return ""
    minutes = counted((found.judged - found.first) * limits.period_minutes, "minute")
    return f", all in {minutes} of warm-up" if found.only_warm_up else f" after {minutes} of warm-up"
