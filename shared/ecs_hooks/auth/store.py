"""Secrets by reference: read from where they are kept when they are first needed, and kept while the function is warm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.auth.reference import SECRETS_MANAGER, SSM, Reference
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.core.arn import region_of

SECONDS = 300
"""How long a secret is kept: a warm function does not ask for each request, and notices when one is rotated."""

_PARAMETERS = {SECRETS_MANAGER: "SecretArns", SSM: "ParameterArns"}
"""By action, the parameter of the stack that allows it."""
READABLE = "as {} of the stack does, and KeyArns for a key of its own"
"""What makes readable what is kept somewhere, with the name of that parameter."""

known: Cache[tuple[str | None, str, str, str], str] = Cache()
"""The secrets, each by endpoint of AWS, region, action and name."""


def value_of(reference: Reference, find_region: Callable[[], str]) -> str:
    """Return a secret.

    Parameters
    ----------
    reference
        Where it is.
    find_region
        Returns the region of what is named without one.

    Raises
    ------
    FactError
        If it can't be had; `FactDeniedError` where asking again is of no use. It names the secret, and never shows it.
    """
    if reference.env is not None:
        return _variable(reference.env)
    region = region_of(reference.name) if reference.name.startswith("arn:") else find_region()
    key = (os.environ.get("AWS_ENDPOINT_URL"), region, reference.action, reference.name)
    value = known.get(key, lambda: Kept(_asked(reference.action, reference.name, region), SECONDS))
    return value if reference.key is None else _member(value, reference.key, reference.name)


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise FactDeniedError(f"the function has no environment variable {name}")
    return value


def _asked(action: str, name: str, region: str) -> str:
    # Whoever asks for no secret does not pay for what asks AWS.
    from ecs_hooks.aws.call import ask_page, reading  # noqa: PLC0415

    try:
        if action == SSM:
            answer = ask_page(action, region, Name=name, WithDecryption=True)
            with reading(action):
                value = answer["Parameter"]["Value"]
        else:
            answer = ask_page(action, region, SecretId=name)
            if "SecretBinary" in answer:
                raise FactDeniedError(f"{action}: the secret is binary; keep it as text", action=action)
            with reading(action):
                value = answer["SecretString"]
    except FactError as error:
        raise named(error, name, READABLE.format(_PARAMETERS[action])) from error
    if not value:
        raise FactError(f"{action}: the answer can't be read ({name})", action=action)
    return str(value)


def named(error: FactError, name: str, hint: str) -> FactError:
    """Return an error with the name of what was asked for, and what allows it where the permission is missing."""
    return type(error)(
        f"{error}{f', {hint}' if error.forbidden else ''} ({name})", action=error.action, code=error.code
    )


def _member(text: str, key: str, name: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FactDeniedError(f"{SECRETS_MANAGER}: the secret is no JSON object, so it has no key {key!r} ({name})")
    value = found.get(key)
    if not isinstance(value, str) or not value:
        problem = "has no text" if key in found else "has no value"
        raise FactDeniedError(f"{SECRETS_MANAGER}: the secret {problem} under the key {key!r} ({name})")
    return value
