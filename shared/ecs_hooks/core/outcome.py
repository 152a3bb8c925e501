"""The outcome of one check."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from ecs_hooks.core.formatting import listed

Evidence = Mapping[str, str | int | float | bool | None]

Policy = Literal["fail", "pass"]
"""The policy of a plan for what could not be decided."""

MissingDataPolicy = Literal["fail", "pass", "skip"]
"""The policy of a plan for missing data: with `skip`, the check is skipped with its reason and a warning in the log."""

AS_BEFORE = "as before"
"""The reason of a check that passed in an earlier invocation, and does not run again."""


class Status(StrEnum):
    """The status of a check."""

    PASS = "PASS"  # noqa: S105 - a status, not a password
    """The expectation about the deployment is true."""
    FAIL = "FAIL"
    """It is false."""
    WAIT = "WAIT"
    """It is not decidable yet: run the check again."""
    ERROR = "ERROR"
    """The check could not run (no connection, AWS throttles): run it again, up to a limit."""
    SKIP = "SKIP"
    """It does not apply here."""


_DATA_MISSING = "data_missing"
"""Key of the evidence of a `SKIP` by the policy for missing data."""

_NOT_CHECKED = "parts_not_checked"
"""Key of the evidence of an outcome that leaves out parts of the deployment: their number."""

_MOST_PARTS = 5

_NOT_APPLICABLE: Evidence = MappingProxyType({"applicable": False})


class Outcome(NamedTuple):
    """The outcome of one check, with its reason.

    Parameters
    ----------
    status
        The status of the check.
    reason
        One line for a person: the value found and the value expected. Never a secret, never a body.
    evidence
        Numbers and ids behind the reason, for the log. Never a secret, never a body. The limit of a number `x` is
        `x_limit`, or `x_lower_limit` where it is a minimum.
    retry_after
        Seconds until the check should run again, for `WAIT` and `ERROR`. None leaves the choice to the caller.
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
    def by_policy(cls, policy: MissingDataPolicy, reason: str, evidence: Evidence | None = None) -> Outcome:
        """Return a `FAIL`, a `PASS` or a `SKIP`, by the policy for what could not be decided."""
        if policy == "skip":
            return cls(Status.SKIP, reason, {**(evidence or {}), _DATA_MISSING: True})
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
        """Return a `SKIP` of a check that does not apply to this kind of deployment. A plan of such checks alone fails."""
        return cls(Status.SKIP, reason, _NOT_APPLICABLE)

    def leaving_out(self, parts: Sequence[str]) -> Outcome:
        """Return this outcome with the parts of the deployment that the check could not read, unless it is a failure."""
        if not parts or self.status not in {Status.PASS, Status.SKIP, Status.WAIT}:
            return self
        reason = f"{self.reason}; not checked: {listed(parts, _MOST_PARTS, ', ', ' and ')}"
        return self._replace(reason=reason, evidence={**self.evidence, _NOT_CHECKED: len(parts)})

    @property
    def applicable(self) -> bool:
        """Whether the check applies to this kind of deployment."""
        return self.evidence is not _NOT_APPLICABLE

    @property
    def warns(self) -> bool:
        """Whether the outcome is no failure, but deserves attention: a `SKIP` for too little data, or parts not checked."""
        if self.status not in {Status.PASS, Status.SKIP}:
            return False
        return _NOT_CHECKED in self.evidence or (self.status is Status.SKIP and _DATA_MISSING in self.evidence)

    @property
    def decided(self) -> bool:
        """Whether the outcome is final."""
        return self.status in {Status.PASS, Status.FAIL, Status.SKIP}


class ExplainedError(Exception):
    """An exception with an outcome for the check that it ends. Its message may be shown."""

    @property
    def outcome(self) -> Outcome:
        """The outcome of the check that it ends."""
        return Outcome.failed(str(self))


class CheckCodeError(ExplainedError):
    """The code of a check's class raised an exception, outside of `run`. The exception is its cause."""


@contextmanager
def check_code(what: str) -> Iterator[None]:
    """Turn an unexpected exception into a `CheckCodeError` that names this code, such as `QueueCheck.requirements()`."""
    try:
        yield
    except (ExplainedError, KeyboardInterrupt):
        raise
    except BaseException as error:  # also SystemExit: a check must not end the function
        raise CheckCodeError(f"{what} {raised(error)}") from error


def raised(error: BaseException) -> str:
    """Return that an exception was raised, and where. Its message is in the log only, since it could contain anything."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"raised {type(error).__name__}{place}; the traceback is in the log"
