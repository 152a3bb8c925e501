"""The syntax of CloudWatch Logs' filter patterns and Logs Insights queries, as far as their documentation defines it."""

from __future__ import annotations

import re

from ecs_hooks.core.formatting import nearest

_COMMANDS = (
    *("fields", "filter", "stats", "sort", "limit", "parse", "display", "dedup", "pattern", "diff", "unmask", "unnest"),
    *("anomaly", "filterIndex", "join", "lookup", "SOURCE"),
)
_MAX_LIMIT = 10_000
_PARTS = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|/(?:\\.|[^/\\\n])*/|.""", re.DOTALL)
_PAIRS = {")": "(", "]": "[", "}": "{"}

_STRING = r'"(?:\\.|[^"\\])*"'
_REGEX = r"%[^%]*%"
_TERM = re.compile(rf"[?-]?(?:{_STRING}|{_REGEX}|\w+)(?=\s|$)")
_SELECTOR = r"\$(?:\.[\w@-]+|\.\*|\.?\[\d+\]|\[\*\]|\.?\['[^']*'\]|\.?\[\"[^\"]*\"\])+"
_VALUE = rf"(?:{_STRING}|{_REGEX}|[^\s(){{}}&|=<>!\"]+)"
_CONDITION = re.compile(
    rf"{_SELECTOR}\s*(?:(?:=|!=|<=|>=|<|>)\s*{_VALUE}|IS\s+(?:NOT\s+)?(?:TRUE|FALSE|NULL)|NOT\s+EXISTS)", re.IGNORECASE
)
_JOINT = re.compile(r"&&|\|\|")


_COMMA = re.compile(r",$")
_UNFINISHED = {
    "filter": re.compile(r"([=<>~,]|\s(and|or|not|like|in))$", re.IGNORECASE),
    "parse": re.compile(r"(,|\sas)$", re.IGNORECASE),
    "stats": re.compile(r"(,|\s(by|as))$", re.IGNORECASE),
}
"""The ends of commands that lack their last argument."""


def query_problem(query: str) -> str:
    """Return why Logs Insights refuses a query; empty where nothing is known to be wrong."""
    commands, opened = [""], list[str]()
    for found in _PARTS.finditer(query):
        part = found[0]
        if part.startswith("#"):
            continue
        if part in {'"', "`"}:
            return f"has {part} without an end"
        if part in _PAIRS.values():
            opened.append(part)
        elif part in _PAIRS and (not opened or opened.pop() != _PAIRS[part]):
            return f"has {part} without {_PAIRS[part]}"
        if part == "|" and not opened:
            commands.append("")
        else:
            commands[-1] += part
    if opened:
        return f"has {opened[-1]} without an end"
    return next(filter(None, map(_command_problem, commands)), "")


def _command_problem(command: str) -> str:
    word = re.match(r"\w*", command.strip())
    name = word[0] if word else ""
    rest = command.strip()[len(name) :].strip()
    known = {each.lower() for each in _COMMANDS}
    if not command.strip():
        return "has an empty command before or after |"
    if name.lower() not in known:
        hint = nearest(name, _COMMANDS)
        return f"has a command that Logs Insights does not have{hint}"
    if name.lower() not in {"unmask", "pattern", "diff", "anomaly"} and not rest:
        return f"has the command {name} without an argument"
    if name.lower() == "limit" and not (re.fullmatch("[0-9]{1,9}", rest) and 1 <= int(rest) <= _MAX_LIMIT):
        return f"has a limit that is not a whole number from 1 to {_MAX_LIMIT}"
    unfinished = _UNFINISHED.get(name.lower(), _COMMA).search(rest)
    return f"has the command {name} that ends with {unfinished[0].strip()}" if unfinished else ""


def pattern_problem(pattern: str) -> str:
    """Return why CloudWatch Logs refuses a filter pattern; empty where nothing is known to be wrong."""
    text = pattern.strip()
    if text.startswith("{"):
        return _json_problem(text)
    if text.startswith("["):
        return "" if text.endswith("]") else "has [ without ]"
    while text:
        found = _TERM.match(text)
        if found is None:
            term = text.split()[0]
            if term.count('"') % 2 or (term.lstrip("?-").startswith('"')):
                return 'has a quotation mark (") without an end, or a character after the end'
            return (
                "has a term with characters other than letters, digits and _; put it in quotation marks, such as "
                '"GET /orders"'
            )
        text = text[found.end() :].lstrip()
    return ""


def _json_problem(text: str) -> str:
    """Return the problem of a pattern for JSON: conditions about `$.field`, joined by && and ||, in parentheses."""
    example = 'such as { $.level = "error" && $.status >= 500 }'
    if not text.endswith("}"):
        return f"begins with {{, so it must end with }}, {example}"
    rest, depth, after_condition = text[1:-1].strip(), 0, False
    while rest:
        joint, condition = _JOINT.match(rest), _CONDITION.match(rest)
        if rest[0] == "(" and not after_condition:
            depth, end = depth + 1, 1
        elif rest[0] == ")" and after_condition and depth:
            depth, end = depth - 1, 1
        elif joint and after_condition:
            after_condition, end = False, joint.end()
        elif condition and not after_condition:
            after_condition, end = True, condition.end()
        else:
            return f"begins with {{, so it must have conditions about $.FIELD, {example}"
        rest = rest[end:].lstrip()
    if depth or not after_condition:
        return f"ends before a condition or a parenthesis does; it must have conditions about $.FIELD, {example}"
    return ""
