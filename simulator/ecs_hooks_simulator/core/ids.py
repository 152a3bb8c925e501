"""Identifiers in the forms that ECS gives them."""

from __future__ import annotations

import secrets
import string
import uuid

_BASE62 = string.ascii_letters + string.digits


def deployment_id() -> str:
    """Return the id of a service deployment, such as `EZe5RNVLH6PPzHXINuP28`."""
    return "".join(secrets.choice(_BASE62) for _ in range(21))


def revision_id() -> str:
    """Return the id of a service revision, a number of 19 digits."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


def hook_id(hook_type: str) -> str:
    """Return the id of a hook, in the documented format `ecs-{hookType}-{id}` with a type such as `pause`."""
    return f"ecs-{hook_type}-{secrets.token_urlsafe(32)}"


def execution_id() -> str:
    """Return the id of a hook execution, which also serves for events and requests."""
    return str(uuid.uuid4())
