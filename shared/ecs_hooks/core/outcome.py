"""What one check found out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

Evidence = Mapping[str, str | int | float | bool | None]

Policy = Literal["fail", "pass"]
"""What a plan makes of what could not be decided."""

AS_BEFORE = "as before"
"""The reason of a check that has passed in an earlier invocation, and is not asked again."""


class Status(StrEnum):
    """How a check ended."""

    PASS = "PASS"  # noqa: S105 - a status, not a password
    """What was asked about the deployment is true."""
    FAIL = "FAIL"
    """It is false."""
    WAIT = "WAIT"
    """It can't be decided yet: ask again."""
    ERROR = "ERROR"
    """It could not be asked (no connection, AWS throttles): ask again, but not for ever."""
    SKIP = "SKIP"
    """It does not apply here."""


_NOT_APPLICABLE: Evidence = MappingProxyType({"applicable": False})


class Outcome(NamedTuple):
    """The answer of one check, with its reason.

    Parameters
    ----------
    status
        How the check ended.
    reason
        One line for a person: what was seen beside what was expected. Never a secret, never a body.
    evidence
        Numbers and ids behind the reason, for the log. Never a secret, never a body. What a number `x` is held against
        stands beside it: `x_limit`, or `x_lower_limit` where it is the least.
    retry_after
        Seconds after which to ask again, for `WAIT` and `ERROR`. None leaves the choice to the caller.
    """

    status: Status
    reason: str
    evidence: Evidence = MappingProxyType({})
    retry_after: float | None = None

    @classmethod
    def passed(cls, reason: str = "", evidence: Evidence | None = None) -> Outcome:
        """Return a `PASS`."""
        return cls(Status.PASS, reason, evidence or {})

    @classmethod
    def failed(cls, reason: str, evidence: Evidence | None = None) -> Outcome:
        """Return a `FAIL`."""
        return cls(Status.FAIL, reason, evidence or {})

    @classmethod
    def by_policy(cls, policy: Policy, reason: str, evidence: Evidence | None = None) -> Outcome:
        """Return the `FAIL` or the `PASS` that a policy makes of what could not be decided."""
        return cls.failed(reason, evidence) if policy == "fail" else cls.passed(reason, evidence)

    @classmethod
    def wait(cls, reason: str, evidence: Evidence | None = None, *, retry_after: float | None = None) -> Outcome:
        """Return a `WAIT`."""
        return cls(Status.WAIT, reason, evidence or {}, retry_after)

    @classmethod
    def error(cls, reason: str, evidence: Evidence | None = None, *, retry_after: float | None = None) -> Outcome:
        """Return an `ERROR`."""
        return cls(Status.ERROR, reason, evidence or {}, retry_after)

    @classmethod
    def skip(cls, reason: str) -> Outcome:
        """Return a `SKIP`."""
        return cls(Status.SKIP, reason)

    @classmethod
    def not_applicable(cls, reason: str) -> Outcome:
        """Return a `SKIP` of a check that such a deployment can't answer; where all are, nothing has been checked."""
        return cls(Status.SKIP, reason, _NOT_APPLICABLE)

    @property
    def applicable(self) -> bool:
        """Whether such a deployment can answer it at all."""
        return self.evidence is not _NOT_APPLICABLE

    @property
    def decided(self) -> bool:
        """Whether asking again would be pointless."""
        return self.status in {Status.PASS, Status.FAIL, Status.SKIP}


class ExplainedError(Exception):
    """An exception that says by itself what it means for a check; no bug, so its message may be shown."""

    @property
    def outcome(self) -> Outcome:
        """The outcome of a check that could not go on because of this."""
        return Outcome.failed(str(self))
