"""What it takes to open the secrets of a check."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.limits import Limits


class Keyring(NamedTuple):
    """Opens secrets, and has the redactor of the check learn each of them before anything can be said of it.

    Parameters
    ----------
    redactor
        What keeps secrets out of reasons.
    find_region
        Returns the region of the deployment: that of secrets without one of their own.
    limits
        What a request for a token may cost.
    deadline
        When a token is of no use any more.
    """

    redactor: Redactor
    find_region: Callable[[], str]
    limits: Limits
    deadline: Deadline

    def open(self, secret: str | Reference) -> str:
        """Return a secret.

        Raises
        ------
        FactError
            If it can't be had.
        """
        value = self.read(secret)
        self.redactor.add(value)
        return value

    def read(self, text: str | Reference) -> str:
        """Return what is a secret only where it is kept like one, such as the name of a user.

        Raises
        ------
        FactError
            If it can't be had.
        """
        if isinstance(text, str):
            return text
        from ecs_hooks.auth.store import value_of  # noqa: PLC0415 - loaded by whoever has a secret by reference

        value = value_of(text, self.find_region)
        self.redactor.add(value)
        return value
