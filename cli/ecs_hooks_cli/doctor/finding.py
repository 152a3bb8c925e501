"""Findings: what is wrong, how severe it is, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    """Cannot be determined; never as good as `ok`."""


class Finding(NamedTuple):
    """One finding.

    Parameters
    ----------
    level
        Its severity.
    subject
        What was examined, such as `role`.
    text
        What was found, in one line.
    fix
        What to do; empty for `ok`.
    """

    level: Level
    subject: str
    text: str
    fix: str = ""


class Subject(NamedTuple):
    """The subject of an examination, such as `role`, which makes the findings about it."""

    name: str

    def ok(self, text: str) -> Finding:
        """Return a finding without a problem."""
        return Finding(Level.OK, self.name, text)

    def warning(self, text: str, fix: str) -> Finding:
        """Return a problem that may be intended, or occurs only at times."""
        return Finding(Level.WARNING, self.name, text, fix)

    def error(self, text: str, fix: str) -> Finding:
        """Return a problem that makes the hook fail, or useless."""
        return Finding(Level.ERROR, self.name, text, fix)

    def unknown(self, text: str, fix: str) -> Finding:
        """Return a finding about a fact that cannot be determined, and how to determine it."""
        return Finding(Level.UNKNOWN, self.name, text, fix)

    def aws_failed(self, fact: str, cause: FactError) -> Finding:
        """Return the finding that a fact is unknown because an AWS call failed."""
        if cause.access_denied:
            reason, fix = f"{cause.action}: {cause.code}", f"allow {cause.action} for the AWS credentials used here"
        else:
            reason, fix = str(cause), "run `ecs-hooks doctor` again; if AWS fails again, correct what it reports"
        return self.unknown(f"cannot determine {fact}: {reason}", fix)

    def or_unknown(self, fact: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        """Yield findings, and `aws_failed` at the end if an AWS call fails."""
        try:
            yield from findings
        except FactError as failed:
            yield self.aws_failed(fact, failed)
