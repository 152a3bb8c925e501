"""The credentials of a role that a hook assumes, to sign requests as somebody else than its function."""

from __future__ import annotations

import os
import re

from botocore.credentials import ReadOnlyCredentials

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.auth.store import named
from ecs_hooks.aws.call import ask_page, reading
from ecs_hooks.aws.errors import FactError, unreadable

ACTION = "sts:AssumeRole"
SESSION = "ecs-hooks"
"""What CloudTrail calls the session."""

DURATION = 900
"""Seconds that the credentials are good for: the fewest that STS gives."""
_HEADSTART = 300
"""Seconds before their end at which they are asked for anew: AWS takes a signature for five minutes."""
_HINT = "as AssumedRoleArns of the stack does, and the function's role in that role's trust policy"
_KEY = re.compile(r"[!-~]+")
"""What can stand in a header, as all credentials of AWS can."""

known: Cache[tuple[str | None, str, str], ReadOnlyCredentials] = Cache()
"""The credentials of this process, each by endpoint of AWS, region and role."""


def assumed(role_arn: str, region: str) -> ReadOnlyCredentials:
    """Return the credentials of a role, as they are now.

    Parameters
    ----------
    role_arn
        The role.
    region
        Region whose STS is asked; what it gives is good in all.

    Raises
    ------
    FactError
        If they can't be had; `FactDeniedError` where asking again is of no use.
    """
    key = (os.environ.get("AWS_ENDPOINT_URL"), region, role_arn)
    return known.get(key, lambda: Kept(_asked(role_arn, region), DURATION - _HEADSTART))


def _asked(role_arn: str, region: str) -> ReadOnlyCredentials:
    try:
        answer = ask_page(ACTION, region, RoleArn=role_arn, RoleSessionName=SESSION, DurationSeconds=DURATION)
        with reading(ACTION):
            keys = [answer["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        if not all(map(_KEY.fullmatch, keys)):
            raise unreadable(ACTION)
    except FactError as error:
        raise named(error, role_arn, _HINT) from error
    return ReadOnlyCredentials(*keys)
