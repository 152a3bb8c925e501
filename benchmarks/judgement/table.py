"""Judges situations by each gate, and prints the shares of wrong verdicts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple
from zlib import crc32

from benchmarks.judgement.drawing import Drawn
from benchmarks.judgement.fixed_limits import too_many_errors, too_slow
from benchmarks.judgement.gate import REFUSED, UNDECIDED, Gate
from benchmarks.judgement.in_process_aws import BLUE_NAME, GREEN_NAME
from benchmarks.judgement.kayenta import Settings, classify
from benchmarks.judgement.situations import Metric, Right, Row, Situation

LIBRARY, KAYENTA, FIXED = "ecs-hooks", "Kayenta", "fixed limits"
_KNOWN_MINUTES = 200
"""Minutes of blue from which fixed limits know its latency."""


@dataclass(slots=True)
class Tally:
    """The verdicts of a gate in the runs of one row."""

    statuses: Counter[str] = field(default_factory=Counter)
    minutes: list[float] = field(default_factory=list)
    reason: str = ""
    """The reason of a wrong verdict."""

    def add(self, other: Tally) -> None:
        """Add the verdicts of other runs."""
        self.statuses += other.statuses
        self.minutes += other.minutes
        self.reason = self.reason or other.reason

    def wrong(self, right: Right) -> int:
        """Return the number of verdicts that are not the right one; a plan that is refused at once is right to fail."""
        refused = self.statuses[REFUSED] if right == "FAIL" else 0
        return self.statuses.total() - self.statuses[right] - refused


class Judged(NamedTuple):
    """A row of the table."""

    situation: Situation
    row: Row
    tallies: Mapping[str, Tally]

    @property
    def holds(self) -> bool:
        """Whether the library is wrong in at most as many runs as the row allows."""
        tally = self.tallies[LIBRARY]
        return self.row.limit is None or 100 * tally.wrong(self.row.right) <= self.row.limit * tally.statuses.total()

    @property
    def is_best(self) -> bool:
        """Whether no other gate is right more often, by more than two standard deviations."""
        own = self.tallies[LIBRARY].wrong(self.row.right)
        others = [tally.wrong(self.row.right) for name, tally in self.tallies.items() if name != LIBRARY]
        return all(own - other <= 2 * math.sqrt(own + other) for other in others)


def judge(situation: Situation, seeds: Sequence[int]) -> list[dict[str, Tally]]:
    """Return the tally of each gate, for each row of a situation."""
    tallies: list[dict[str, Tally]] = [{} for _ in situation.rows]
    known = {row.metric.stat: _known(situation, row.metric.stat) for row in situation.rows if row.metric.stat}
    green, blue = situation.traffic.rates
    for seed in seeds:
        gate = Gate(Drawn(situation.traffic, _seed(situation, seed)), 100 * green / (green + blue), seed)
        for row, by_gate in zip(situation.rows, tallies, strict=True):
            metric = row.metric
            verdict = gate.play(metric.check)
            own = by_gate.setdefault(LIBRARY, Tally())
            own.statuses[verdict.status] += 1
            own.minutes.append(verdict.minutes)
            if verdict.status != row.right:
                own.reason = own.reason or verdict.reason
            others = {FIXED: _by_fixed_limits(gate, metric, known.get(metric.stat, 0))}
            if metric.max_error_percent is None:
                others[KAYENTA] = _by_kayenta(gate, metric)
            for name, status in others.items():
                by_gate.setdefault(name, Tally()).statuses[status] += 1
    return tallies


def _seed(situation: Situation, seed: int) -> list[int]:
    return [seed, crc32(situation.label.encode())]


def _known(situation: Situation, stat: str) -> float:
    """Return the usual value of a latency of blue: the median of many minutes, with another seed."""
    blue = situation.traffic.blue
    usual = situation.traffic.__class__(green=blue, blue=blue, rates=(1200, 1200), shared=None)
    values = Gate(Drawn(usual, [_KNOWN_MINUTES]), 50, 0).series("TargetResponseTime", stat, BLUE_NAME, 30)
    return median(values.values())


def _percents(gate: Gate, group: str, minutes: int) -> dict[float, float]:
    requests = gate.series("RequestCount", "Sum", group, minutes)
    errors = gate.series("HTTPCode_Target_5XX_Count", "Sum", group, minutes)
    return {minute: 100 * errors.get(minute, 0) / count for minute, count in requests.items()}


def _by_kayenta(gate: Gate, metric: Metric) -> str:
    green, blue = (_values(gate, metric, group) for group in (GREEN_NAME, BLUE_NAME))
    label = classify(list(green.values()), list(blue.values()), Settings()).label
    return {"High": "FAIL", "Nodata": UNDECIDED}.get(label, "PASS")


def _by_fixed_limits(gate: Gate, metric: Metric, known: float) -> str:
    values = _values(gate, metric, GREEN_NAME)
    if metric.stat:
        return "FAIL" if too_slow(values, known) else "PASS"
    limit = {} if metric.max_error_percent is None else {"limit": metric.max_error_percent}
    return "FAIL" if too_many_errors(values, **limit) else "PASS"


def _values(gate: Gate, metric: Metric, group: str) -> dict[float, float]:
    if metric.stat:
        return gate.series("TargetResponseTime", metric.stat, group, metric.window)
    return _percents(gate, group, metric.window)


COLUMNS = ("situation", "green/blue", "metric", "right", LIBRARY, KAYENTA, FIXED, "limit", "undecided", "minutes")


def _percents_wrong(judged: Judged) -> dict[str, str]:
    right = judged.row.right
    return {name: f"{100 * each.wrong(right) / each.statuses.total():.3g}" for name, each in judged.tallies.items()}


def cells(judged: Judged) -> tuple[str, ...]:
    """Return the row as texts: the shares of wrong verdicts in per cent."""
    green, blue = judged.situation.traffic.rates
    own = judged.tallies[LIBRARY]
    wrong = _percents_wrong(judged)
    mark = ("" if judged.holds else " !") + ("" if judged.is_best else " <")
    return (
        judged.situation.name,
        f"{green:g}/{blue:g}",
        judged.row.metric.name,
        judged.row.right.lower(),
        wrong[LIBRARY] + mark,
        wrong.get(KAYENTA, "-"),
        wrong[FIXED],
        "" if judged.row.limit is None else f"{judged.row.limit:g}",
        f"{100 * own.statuses[UNDECIDED] / own.statuses.total():.3g}",
        f"{median(own.minutes):g}",
    )


def markdown(rows: Sequence[Judged]) -> str:
    """Return a table in Markdown for each group, with a column for each traffic.

    A cell has the percentages of wrong verdicts of the library, of Kayenta and of fixed limits, and in parentheses the
    limit of the library's; it is bold where the library's is above.
    """
    lines: list[str] = []
    for group in dict.fromkeys(each.situation.group for each in rows):
        found = [each for each in rows if each.situation.group == group]
        rates = list(dict.fromkeys(each.situation.traffic.rates for each in found))
        by_line: dict[tuple[str, str, str], dict[tuple[float, float], str]] = {}
        for each in found:
            line = by_line.setdefault((each.situation.name, each.row.metric.name, each.row.right.lower()), {})
            line[each.situation.traffic.rates] = _cell(each)
        heads = ["situation", "metric", "right", *(f"{green:g}/{blue:g}" for green, blue in rates)]
        lines += ["", f"### {group}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        lines += [
            f"| {' | '.join([*names, *(line.get(rate, '') for rate in rates)])} |" for names, line in by_line.items()
        ]
    return "\n".join(lines).strip() + "\n"


def _cell(judged: Judged) -> str:
    wrong = _percents_wrong(judged)
    values = " / ".join(wrong.get(name, "-") for name in (LIBRARY, KAYENTA, FIXED))
    limit = "" if judged.row.limit is None else f" ({judged.row.limit:g})"
    return f"{values}{limit}" if judged.holds else f"**{values}{limit}**"


def as_json(judged: Judged) -> dict[str, Any]:
    """Return the row as JSON."""
    green, blue = judged.situation.traffic.rates
    return {
        "group": judged.situation.group,
        "situation": judged.situation.name,
        "green": green,
        "blue": blue,
        "metric": judged.row.metric.name,
        "right": judged.row.right,
        "limit_percent": judged.row.limit,
        "holds": judged.holds,
        "median_minutes": median(judged.tallies[LIBRARY].minutes),
        "wrong": {name: tally.wrong(judged.row.right) for name, tally in judged.tallies.items()},
        "statuses": {name: dict(tally.statuses) for name, tally in judged.tallies.items()},
        "a_wrong_reason": judged.tallies[LIBRARY].reason,
    }
