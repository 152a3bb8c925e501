"""The outcome of a compare check: differences in words, and evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.checks.compare.comparable_response import ORIGIN
from ecs_hooks.checks.compare.json_diff import Value
from ecs_hooks.core.formatting import listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import MASK

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.evaluate import Difference
    from ecs_hooks.checks.compare.sampling import Result
    from ecs_hooks.core.redaction import Redactor

_MAX_NAMED = 3
"""Maximum number of differences in a reason."""
_BAD_REQUEST = 400
_MAX_LENGTH = 40
_NOT_SHOWN = {
    "absent": "absent",
    "digest": "one content",
    "header": "present",
    "line": "a line",
    "object": "an object",
}
"""By kind, the words for values that are not shown, such as the lines of a text."""
_PHRASES = {"array": "an array of {}", "body": "{}", "problem": "{}", "status": "{}"}
"""By kind, the words for values that are no secrets in any case."""
_ADDRESS = re.compile(rf"\w+://|/|{re.escape(ORIGIN)}")


def outcome_of(results: Sequence[Result], samples: int, limits: str, redactor: Redactor) -> Outcome:
    """Return the outcome of a check.

    Parameters
    ----------
    results
        The result of each request that there was time for.
    samples
        Number of rounds that each should have.
    limits
        How much slower green may be, in words.
    redactor
        Masks secrets.
    """
    evidence = _evidence(results)
    found = list(_differences(results, limits, redactor))
    if found:
        return Outcome.failed(listed(found, _MAX_NAMED), evidence)
    for each in results:
        if each.rounds < samples:
            problem = f" ({each.problem})" if each.problem else ""
            return Outcome.failed(
                f"{each.label}: there was time for {each.rounds} of {samples} rounds{problem}; raise budget_seconds, "
                f"or lower samples",
                evidence,
            )
    problems = [f"{each.label}: {each.problem}" for each in results if each.problem]
    if problems:
        return Outcome.error("; ".join(problems[:_MAX_NAMED]), evidence)
    return Outcome.passed(_summary(results, samples), evidence)


def _differences(results: Sequence[Result], limits: str, redactor: Redactor) -> Iterator[str]:
    for each in results:
        comparison = each.comparison
        if comparison is None:
            continue
        yield from (f"{each.label}: {_describe(difference, redactor)}" for difference in comparison.differences)
        latency = comparison.latency
        if latency is not None and comparison.is_slower:
            yield (
                f"{each.label}: median latency {latency.green_ms:.0f} ms, of blue {latency.blue_ms:.0f} ms, which is "
                f"more than {limits} allow"
            )


def _describe(difference: Difference, redactor: Redactor) -> str:
    """Return where green differs, how often, and in which value."""
    often = f"differs in {difference.rounds} of {difference.of} rounds (blue against itself in {difference.noise})"
    before, after = (
        None if value is None else _show(value, difference, redactor) for value in (difference.before, difference.after)
    )
    match before, after:
        case None, None:
            change = "in another order"
        case _, None:
            change = f"{before} gone"
        case None, _:
            change = f"{after} added"
        case _:
            change = f"{before} -> {after}"
    return f"{redactor.mask(difference.path)} {often}: {change}"


def _show(value: Value, difference: Difference, redactor: Redactor) -> str:
    kind, content = value
    if kind in _NOT_SHOWN:
        return _NOT_SHOWN[kind]
    if kind in _PHRASES:
        return _PHRASES[kind].format(redactor.mask(str(content)))
    if difference.is_secret:
        return f"{MASK} ({kind})"
    if isinstance(content, str) and _ADDRESS.match(content):
        content = content.partition("?")[0]  # the query of a URL may contain a secret
    return redactor.show(content, _MAX_LENGTH)


def _summary(results: Sequence[Result], samples: int) -> str:
    compared = [(each.label, each.comparison) for each in results if each.comparison is not None]
    labels = listed([label for label, _ in compared], _MAX_NAMED, ", ", " and ")
    paths, noisy = sum(each.paths for _, each in compared), sum(each.noisy for _, each in compared)
    summary = f"{labels}: no difference in {samples} rounds at {paths} paths, {noisy} of which vary in blue"
    refused = [f"{each.status} to {label}" for label, each in compared if each.status >= _BAD_REQUEST]
    return f"{summary}; blue responds {', '.join(refused[:_MAX_NAMED])}" if refused else summary


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
        "differences": sum(len(each.differences) + each.is_slower for each in compared),
    }
    if worst is not None:
        evidence |= {"most_rounds": worst.rounds, "most_rounds_noise": worst.noise}
    if slowest is not None:
        evidence |= {"blue_p50_ms": round(slowest.blue_ms, 1), "green_p50_ms": round(slowest.green_ms, 1)}
    return evidence
