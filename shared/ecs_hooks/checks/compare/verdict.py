"""What all comparisons of a check come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.checks.compare.report import tell
from ecs_hooks.core.outcome import Outcome

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.sampling import Result
    from ecs_hooks.core.redaction import Redactor

_NAMED = 3
"""Differences that a reason names."""
_BAD_REQUEST = 400


def verdict(results: Sequence[Result], samples: int, limits: str, redactor: Redactor) -> Outcome:
    """Return the outcome.

    Parameters
    ----------
    results
        What came of each request that there was time for.
    samples
        How many rounds each should have had.
    limits
        How much longer green may take, in words.
    redactor
        What knows the secrets.
    """
    evidence = _evidence(results)
    found = list(_found(results, limits, redactor))
    if found:
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return Outcome.failed("; ".join(found[:_NAMED]) + more, evidence)
    for each in results:
        if each.rounds < samples:
            blue = f"; {each.trouble}" if each.trouble else ""
            reason = (
                f"{each.label}: there was time for {each.rounds} of {samples} rounds (samples){blue}: raise budget_seconds, or "
                f"lower samples"
            )
            return Outcome.failed(reason, evidence)
    troubles = [f"{each.label}: {each.trouble}" for each in results if each.trouble]
    if troubles:
        return Outcome.error("; ".join(troubles[:_NAMED]), evidence)
    return Outcome.passed(_passed(results, samples), evidence)


def _found(results: Sequence[Result], limits: str, redactor: Redactor) -> Iterator[str]:
    """Yield the differences, the worst of each request first."""
    for each in results:
        if each.compared is None:
            continue
        yield from (f"{each.label}: {tell(difference, redactor)}" for difference in each.compared.differences)
        latency = each.compared.latency
        if latency is not None and each.compared.is_slower:
            yield (
                f"{each.label}: latency {latency.green_ms:.0f} ms at the median, of blue {latency.blue_ms:.0f} ms, more than "
                f"{limits} allow"
            )


def _passed(results: Sequence[Result], samples: int) -> str:
    compared = [(each.label, each.compared) for each in results if each.compared is not None]
    labels = ", ".join(label for label, _ in compared[:_NAMED])
    others = f" and {len(compared) - _NAMED} more" if len(compared) > _NAMED else ""
    paths, noisy = sum(each.paths for _, each in compared), sum(each.noisy for _, each in compared)
    told = (
        f"{labels}{others}: no difference in {samples} rounds at {paths} places, {noisy} of which differ in blue itself"
    )
    refused = [f"{each.status} to {label}" for label, each in compared if each.status >= _BAD_REQUEST]
    return f"{told}; blue answers {', '.join(refused[:_NAMED])}" if refused else told


def _evidence(results: Sequence[Result]) -> dict[str, Any]:
    compared = [each.compared for each in results if each.compared is not None]
    worst = max((each for one in compared for each in one.differences), key=lambda each: each.rounds, default=None)
    timed = [each.latency for each in compared if each.latency is not None]
    slowest = max(timed, key=lambda each: each.green_ms - each.blue_ms, default=None)
    return {
        "requests": len(results),
        "rounds": sum(each.rounds for each in results),
        "places": sum(each.paths for each in compared),
        "noisy_places": sum(each.noisy for each in compared),
        "differences": sum(len(each.differences) + each.is_slower for each in compared),
        **({} if worst is None else {"most_rounds": worst.rounds, "most_rounds_noise": worst.noise}),
        **(
            {}
            if slowest is None
            else {"blue_p50_ms": round(slowest.blue_ms, 1), "green_p50_ms": round(slowest.green_ms, 1)}
        ),
    }
