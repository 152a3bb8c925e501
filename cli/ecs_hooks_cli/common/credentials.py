"""Masks in a plan that is shown whatever looks like a credential: a terminal's output goes to logs, tickets and screens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ecs_hooks.core.redaction import MASK, is_secret_name

_REFERENCE = {"secretsmanager", "key", "ssm", "env"}
"""Fields of a reference to a secret, which is none itself."""

_PUBLIC_FIELDS = {
    "auth",
    "oauth2",
    "client_id",
    "token_url",
    "token_endpoint",
    "header",
    "query",
    "username",
    "secretsmanager",
    "ssm",
    "env",
}
"""Fields of a plan that contain no secret themselves, although they have the name of one or are below one."""

_NAMES = ("name", "header", "key", "Name", "Key")
_VARIABLE = re.compile(r"\s*(?:(?:Bearer|Basic|Token)\s+)?\{\{\s*\w+\s*\}\}\s*", re.IGNORECASE)

_ASSIGNED = re.compile(
    r"(?P<name>[\w-]{1,64})(?P<sign>\\*[\"']?\s*=>?\s*|\\*[\"']\s*:\s*|:\s+)"
    r"(?P<value>\\*\"[^\"]*\"?|\\*'[^']*'?|(?:(?:bearer|basic|token)\s+)?[^\s,;&<>\"'#]+)",
    re.IGNORECASE,
)
"""A parameter of a URL or a form, a header, or a field of an object in a text, with its value."""

_CREDENTIALS = re.compile(
    r"(?P<userinfo>(?<=://)[^\s/?#\"'<>]+(?=@))"
    r"|(?P<scheme>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"
    r"|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"
    r"|\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk_live_|rk_live_|sk-|npm_|pypi-|AIza)[\w-]{16,}",
    re.IGNORECASE | re.DOTALL,
)
"""Texts that are credentials by their form."""


def without_credentials(value: Any, label: Callable[[str], str] = lambda _: MASK) -> Any:
    """Return a JSON value with a label in place of each credential.

    Parameters
    ----------
    value
        The value, such as lifecycle hooks with their `hookDetails`.
    label
        Returns the text to show in place of a credential.
    """
    return _masked(value, label, is_secret=False)


class Labels:
    """Labels of credentials that are equal for equal ones, so that a comparison shows which of them change."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, credential: str) -> str:
        """Return the label of a credential."""
        return f"{MASK} ({self._numbers.setdefault(credential, len(self._numbers) + 1)})"


def _masked(value: Any, label: Callable[[str], str], *, is_secret: bool) -> Any:
    match value:
        case Mapping():
            return _masked_object(value, label, is_secret=is_secret)
        case list() | tuple():
            return [_masked(each, label, is_secret=is_secret) for each in value]
        case bool() | None:
            return value
        case str():
            return _masked_text(value, label, is_secret=is_secret)
        case _:
            return label(str(value)) if is_secret else value


def _masked_object(value: Mapping[str, Any], label: Callable[[str], str], *, is_secret: bool) -> dict[str, Any]:
    if value.keys() <= _REFERENCE and value:
        is_secret = False
    named = any(isinstance(value.get(name), str) and is_secret_name(value[name]) for name in _NAMES)
    is_query = "query" in value  # a query of an assertion or a capture finds a secret, but has none
    found = {}
    for name, inner in value.items():
        if name in _PUBLIC_FIELDS or (value.keys() <= _REFERENCE):
            inner_is_secret = False
        elif named and name.lower() == "value":
            inner_is_secret = True
        else:
            inner_is_secret = (is_secret and not is_query) or is_secret_name(name)
        found[name] = _masked(inner, label, is_secret=inner_is_secret)
    return found


def _masked_text(text: str, label: Callable[[str], str], *, is_secret: bool) -> str:
    if not text or _VARIABLE.fullmatch(text):
        return text
    if is_secret:
        return label(text)
    if text.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError):
            inner = json.loads(text)
            masked = _masked(inner, label, is_secret=False)
            return text if masked == inner else json.dumps(masked)
    text = _CREDENTIALS.sub(lambda found: f"{found['scheme'] or ''}{label(found[0])}", text)
    return _ASSIGNED.sub(lambda found: _masked_assignment(found, label), text)


def _masked_assignment(found: re.Match[str], label: Callable[[str], str]) -> str:
    value = found["value"]
    is_shown = not is_secret_name(found["name"]) or MASK in value or _VARIABLE.fullmatch(value.strip("\\\"'"))
    return found[0] if is_shown else f"{found['name']}{found['sign']}{label(value)}"
