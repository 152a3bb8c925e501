"""Secrets in a plan: the types of their fields, and how a check gets their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import AfterValidator

from ecs_hooks.core.plan_model import LazyModel

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.limits import Limits


def _not_empty(secret: Any) -> Any:
    if secret == "":
        raise ValueError("must not be empty")
    return secret


if TYPE_CHECKING:
    TextOrReference = str | Reference
    Secret = str | Reference
else:
    TextOrReference = Annotated[Any, LazyModel("ecs_hooks.auth.secret_store:Reference", or_string=True)]
    """A text, or a reference to a secret."""
    Secret = Annotated[TextOrReference, AfterValidator(_not_empty)]
    """A secret, or a reference to one."""


class SecretResolver(NamedTuple):
    """Resolves secrets, and adds each to the check's redactor first.

    Parameters
    ----------
    redactor
        Masks secrets in reasons.
    find_region
        Returns the region of the deployment, for references without a region.
    limits
        Limits of a request for an access token.
    deadline
        Deadline of a request for an access token.
    """

    redactor: Redactor
    find_region: Callable[[], str]
    limits: Limits
    deadline: Deadline

    def resolve(self, secret: str | Reference) -> str:
        """Return a secret, which is masked from now on; raise `FactError` if the reference cannot be resolved."""
        value = self.resolve_text(secret)
        self.redactor.add(value)
        return value

    def resolve_text(self, text: str | Reference) -> str:
        """Return a text, which is masked only if it is a reference, such as a user name; see `open`."""
        if isinstance(text, str):
            return text
        from ecs_hooks.auth.secret_store import read_secret  # noqa: PLC0415 - loaded only for plans with references

        value = read_secret(text, self.find_region)
        self.redactor.add(value)
        return value
