"""The outcome of a compare check: differences in words, and evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.shown import change_of, frozen_value, path_of
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.compare_responses import Comparison
    from ecs_hooks.checks.compare.evaluate import Difference
    from ecs_hooks.checks.compare.failures import Failures
    from ecs_hooks.checks.compare.sampling import Result
    from ecs_hooks.core.redaction import Redactor

_MAX_NAMED = 3
"""Maximum number of differences in a reason."""
_MAX_LOCATION = 80
_NOT_OK = 300


class Limits(NamedTuple):
    """The limits of a plan, for reasons."""

    samples: int
    """Number of rounds that each request should have."""
    max_slower_percent: float | None
    max_slower_ms: float
    max_failed_percent: float | None


def outcome_of(results: Sequence[Result], limits: Limits, redactor: Redactor) -> Outcome:
    """Return the outcome of a check.

    Parameters
    ----------
    results
        The result of each request that there was time for.
    limits
        The limits of the plan.
    redactor
        Masks secrets.
    """
    evidence = _evidence(results)
    found = [*_failing(results, limits, redactor), *_differences(results, limits, redactor)]
    unproved = list(_unproved(results, limits, redactor))[:_MAX_NAMED]
    if found:
        return Outcome.failed("; ".join([listed(found, _MAX_NAMED), *unproved]), evidence)
    for each in results:
        if each.rounds < limits.samples:
            problem = f" ({each.problem})" if each.problem else ""
            reason = (
                f"{each.label}: there was time for {each.rounds} of {limits.samples} rounds{problem}; raise budget_seconds, "
                f"or lower samples"
            )
            return Outcome.failed("; ".join([reason, *unproved]), evidence)
    problems = [f"{each.label}: {each.problem}" for each in results if each.problem]
    if problems:
        return Outcome.error("; ".join([*problems[:_MAX_NAMED], *unproved]), evidence)
    return Outcome.passed("; ".join([*unproved, _summary(results, limits, redactor)]), evidence)


def _failing(results: Sequence[Result], limits: Limits, redactor: Redactor) -> Iterator[str]:
    """Yield the requests of which green fails more often than blue, or than the fixed limit allows."""
    for each in results:
        if each.comparison is None:
            continue
        found = each.comparison.failures
        if found.proved:
            yield f"{each.label}: {_failures(found, redactor)}"
        elif found.exceed(limits.max_failed_percent):
            limit = f"more than max_failed_percent {limits.max_failed_percent:g} allows"
            yield f"{each.label}: {_failures(found, redactor)}, which is {limit}"


def _unproved(results: Sequence[Result], limits: Limits, redactor: Redactor) -> Iterator[str]:
    """Yield the failures of green that are too few."""
    for each in results:
        found = None if each.comparison is None else each.comparison.failures
        if found is not None and found.green and not found.proved and not found.exceed(limits.max_failed_percent):
            yield (
                f"{each.label}: {_failures(found, redactor)}: too few to prove a difference (max_failed_percent sets a fixed "
                f"limit)"
            )


def _failures(found: Failures, redactor: Redactor) -> str:
    kinds = [
        redactor.mask(kind) + (f" in {times}" if len(found.kinds) > 1 else "")
        for kind, times in found.kinds[:_MAX_NAMED]
    ]
    return (
        f"green fails in {found.green} of {found.rounds} rounds ({', '.join(kinds)}), blue in {found.blue} of "
        f"{found.blue_requests} requests"
    )


def _differences(results: Sequence[Result], limits: Limits, redactor: Redactor) -> Iterator[str]:
    for each in results:
        comparison = each.comparison
        if comparison is None:
            continue
        for difference in comparison.differences:
            yield f"{each.label}: {_describe(difference, comparison, redactor)}"
        latency = comparison.latency
        if latency is not None and comparison.is_slower:
            yield (
                f"{each.label}: median latency {latency.green_ms:.0f} ms, of blue {latency.blue_ms:.0f} ms, which is "
                f"more than max_slower_percent {limits.max_slower_percent} and max_slower_ms {limits.max_slower_ms:g} allow"
            )


def _describe(difference: Difference, comparison: Comparison, redactor: Redactor) -> str:
    """Return where green differs, how often, and in which value."""
    path = path_of(difference, redactor)
    if difference.is_frozen:
        varies = comparison.rounds - difference.noise
        value = frozen_value(difference, redactor)
        return f"{path} is the same in {difference.of + 1} rounds (in blue it varies within {varies} rounds): {value}"
    often = f"differs in {difference.rounds} of {difference.of} rounds (blue against itself in {difference.noise})"
    location = (
        f" to {_cut(redactor.mask(comparison.location))}" if difference.path == "status" and comparison.location else ""
    )
    return f"{path} {often}: {change_of(difference, redactor)}{location}"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LOCATION else f"{text[:_MAX_LOCATION]}..."


def _summary(results: Sequence[Result], limits: Limits, redactor: Redactor) -> str:
    compared = [(each.label, each.comparison) for each in results if each.comparison is not None]
    labels = listed([label for label, _ in compared], _MAX_NAMED, ", ", " and ")
    paths, noisy = sum(each.paths for _, each in compared), sum(each.noisy for _, each in compared)
    rounds = sum(each.rounds for each in results)
    further = rounds - limits.samples * len(results)
    more = f" and {counted(further, 'further round')}" if further else ""
    parts = [
        f"{labels}: no difference in {limits.samples} rounds{more} at {paths} paths, {noisy} of which vary in blue"
    ]
    others = [f"{each.status}{_to(each, redactor)} to {label}" for label, each in compared if each.status >= _NOT_OK]
    if others:
        parts.append(f"blue responds {listed(others, _MAX_NAMED, ', ', ' and ')}")
    redirected = [label for label, each in compared if each.location]
    if redirected:
        only = (
            "nothing but redirects was compared"
            if len(redirected) == len(compared)
            else "redirects are compared, not what they point to"
        )
        parts.append(f"{only} (follow_redirects follows them)")
    missing = [f"{path} of {label}" for label, each in compared for path in each.not_compared]
    if missing:
        parts.append(f"not compared: {redactor.mask(listed(missing, _MAX_NAMED, ', ', ' and '))}")
    return "; ".join(parts)


def _to(comparison: Comparison, redactor: Redactor) -> str:
    return f" (redirect to {_cut(redactor.mask(comparison.location))})" if comparison.location else ""


def _evidence(results: Sequence[Result]) -> dict[str, Any]:
    compared = [each.comparison for each in results if each.comparison is not None]
    worst = max((each for one in compared for each in one.differences), key=lambda each: each.rounds, default=None)
    timed = [each.latency for each in compared if each.latency is not None]
    slowest = max(timed, key=lambda each: each.green_ms - each.blue_ms, default=None)
    evidence: dict[str, Any] = {
        "requests": len(results),
        "rounds": sum(each.rounds for each in results),
        "places": sum(each.paths for each in compared),
        "noisy_places": sum(each.noisy for each in compared),
        "differences": sum(len(each.differences) + each.is_slower + each.failures.proved for each in compared),
    }
    failed = [each.failures for each in compared if each.failures.green]
    if failed:
        evidence |= {
            "green_failed": sum(each.green for each in failed),
            "blue_failed": sum(each.blue for each in failed),
        }
    if worst is not None:
        evidence |= {"most_rounds": worst.rounds, "most_rounds_noise": worst.noise}
    if slowest is not None:
        evidence |= {"blue_p50_ms": round(slowest.blue_ms, 1), "green_p50_ms": round(slowest.green_ms, 1)}
    return evidence
