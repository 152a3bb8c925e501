"""The types of fields that hold a secret, or name one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from ecs_hooks.core.lazy_model import LazyModel

if TYPE_CHECKING:
    from ecs_hooks.auth.reference import Reference


def _is_there(secret: Any) -> Any:
    if secret == "":
        raise ValueError("must not be empty")
    return secret


if TYPE_CHECKING:
    TextOrReference = str | Reference
    Secret = str | Reference
else:
    TextOrReference = Annotated[Any, LazyModel("ecs_hooks.auth.reference:Reference", or_string=True)]
    """A text as it is, or a secret by reference."""
    Secret = Annotated[TextOrReference, AfterValidator(_is_there)]
    """A secret as it is, or by reference."""
