"""Expressions of CloudWatch's metric math: the ids and functions in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from ecs_hooks.core.formatting import listed, nearest

FUNCTIONS = frozenset(
    [
        "ABS",
        "ANOMALY_DETECTION_BAND",
        "AVG",
        "CEIL",
        "DATAPOINT_COUNT",
        "DATE",
        "DAY",
        "DB_PERF_INSIGHTS",
        "DIFF",
        "DIFF_TIME",
        "EPOCH",
        "FILL",
        "FIRST",
        "FLOOR",
        "HOUR",
        "IF",
        "INSIGHT_RULE_METRIC",
        "LAMBDA",
        "LAST",
        "LOG",
        "LOG10",
        "MAX",
        "METRICS",
        "METRIC_COUNT",
        "MIN",
        "MINUTE",
        "MONTH",
        "PERIOD",
        "RATE",
        "REMOVE_EMPTY",
        "RUNNING_SUM",
        "SEARCH",
        "SERVICE_QUOTA",
        "SLICE",
        "SORT",
        "STDDEV",
        "SUM",
        "TIME_SERIES",
        "YEAR",
    ]
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "REPEAT", "LINEAR", "ASC", "DESC"})
_TOKEN = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|\S""",
    re.ASCII,
)
_OPERATORS = set("+-*/^=<>!&|,()[].")
_FACTORS = {"*", "/", "^"}
_BINARY = _FACTORS | {"+", "-", ",", "<", ">", "=", "&", "|"}
_PAIRS = {")": "(", "]": "["}
_METRICS = re.compile(r"\bMETRICS\(\s*(?:\"([^\"]*)\"|'([^']*)')?\s*\)")
_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)

MAX_LENGTH = 2048
"""CloudWatch's maximum for an expression."""


def expression_problem(expression: str, ids: Collection[str]) -> str:
    """Return why CloudWatch refuses an expression over metrics with these ids; empty where nothing is known to be wrong."""
    if not expression.strip():
        return "must not be blank"
    if _INSIGHTS.match(expression):
        return ""  # a Metrics Insights query, which has no ids
    opened: list[str] = []
    before = ""
    for found in _TOKEN.finditer(expression):
        name = found["name"]
        called = expression[found.end() :].lstrip().startswith("(")
        problem = _token_problem(found, opened) if name is None else _name_problem(name, ids, called=called)
        problem = problem or _order_problem(found, before)
        if problem:
            return problem
        before = found[0]
    if before in _BINARY:
        return f"ends with {before}"
    return f"has {opened[-1]} without an end" if opened else ""


def _order_problem(found: re.Match[str], before: str) -> str:
    """Return the problem of the place of a part after another one."""
    part = found[0]
    is_value = found.lastgroup is not None and part not in _KEYWORDS
    if is_value and (before in _PAIRS or (before[:1].isalnum() and before not in _KEYWORDS)):
        return f"has {part[:20]} after {before[:20]} without an operator between them"
    if part in _FACTORS and (not before or before in _FACTORS or before in {"(", "[", ","}):
        return f"has {part} without a value before it"
    return ""


def _token_problem(found: re.Match[str], opened: list[str]) -> str:
    """Return the problem of anything but a name; keeps the opened brackets."""
    part = found[0]
    if part in _PAIRS:
        return "" if opened and opened.pop() == _PAIRS[part] else f"has {part} without {_PAIRS[part]}"
    if part in _PAIRS.values():
        opened.append(part)
    elif part in {'"', "'"}:
        return f"has a quotation mark ({part}) without an end"
    elif not (found["text"] or found["number"] or part in _OPERATORS):
        return f"has the character {part!r}, which metric math does not have"
    return ""


def _name_problem(name: str, ids: Collection[str], *, called: bool) -> str:
    if called:
        known = name in FUNCTIONS or name in _KEYWORDS
        hint = f"; did you mean {name.upper()!r}?" if name.upper() in FUNCTIONS else _close(name, FUNCTIONS)
        return "" if known else f"has a function that metric math does not have{hint}"
    if name in ids or name in _KEYWORDS or name in FUNCTIONS:
        return ""
    known_ids = listed(sorted(ids), 10, ", ")
    return f"has an id that is not one of queries ({known_ids}){_close(name, ids)}"


def _close(name: str, known: Collection[str]) -> str:
    hint = nearest(name, sorted(known))
    return hint if "did you mean" in hint else ""


def with_prefix(expression: str, ids: Collection[str], prefix: str) -> str:
    """Return an expression with a prefix before each id, and without METRICS(), which has the ids of other checks, too."""
    if _INSIGHTS.match(expression):
        return expression
    listed_ids: Callable[[re.Match[str]], str] = lambda found: _listed(ids, found[1] or found[2] or "")  # noqa: E731
    expression = _METRICS.sub(listed_ids, expression)
    return "".join(_prefixed(expression, ids, prefix))


def _listed(ids: Collection[str], part: str) -> str:
    return f"[{', '.join(each for each in ids if part in each)}]"


def _prefixed(expression: str, ids: Collection[str], prefix: str) -> Iterator[str]:
    end = 0
    for found in _TOKEN.finditer(expression):
        name = found["name"]
        yield expression[end : found.start()]
        yield f"{prefix}_{name}" if name in ids else found[0]
        end = found.end()
    yield expression[end:]
