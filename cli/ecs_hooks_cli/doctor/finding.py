"""What an examination found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    """It could not be found out. That is never as good as `ok`."""


class Finding(NamedTuple):
    """One finding.

    Parameters
    ----------
    level
        How bad it is.
    subject
        What was examined, such as `role`.
    text
        What was found, in one line.
    fix
        What to do about it, or how to find out; empty where it is `ok`.
    """

    level: Level
    subject: str
    text: str
    fix: str = ""


def ok(subject: str, text: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str, fix: str) -> Finding:
    """Return a finding that may be meant so, or does harm only at times."""
    return Finding(Level.WARNING, subject, text, fix)


def error(subject: str, text: str, fix: str) -> Finding:
    """Return a finding with which the hook can't do what it is there for."""
    return Finding(Level.ERROR, subject, text, fix)


def unknown(subject: str, text: str, fix: str) -> Finding:
    """Return a finding that could not be made, and how to make it."""
    return Finding(Level.UNKNOWN, subject, text, fix)


def unanswered(subject: str, what: str, trouble: FactError) -> Finding:
    """Return the finding that AWS did not tell what was asked for."""
    if trouble.forbidden:
        fix = f"allow {trouble.action} to the AWS credentials used here, or have somebody look who may"
        return unknown(subject, f"{what} is not known: {trouble.action}: {trouble.code}", fix)
    return unknown(subject, f"{what} is not known: {trouble}", "look again")


def examined(subject: str, what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; where AWS refuses to tell, that is one."""
    try:
        yield from findings
    except FactError as trouble:
        yield unanswered(subject, what, trouble)
