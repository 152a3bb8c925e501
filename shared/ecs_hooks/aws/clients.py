"""AWS clients, made on first use and kept while the function stays warm.

They are made by botocore itself: boto3 would load managed transfers for S3 and resources on top of it, which nobody here
needs, and that takes longer than to make a client.
"""

from __future__ import annotations

import os
from functools import lru_cache
from threading import Lock
from typing import Any

from ecs_hooks.aws.errors import FactDeniedError, fact_error
from ecs_hooks.core.gc_freeze import gc_freeze

ATTEMPTS = 2
"""Tries of one AWS call. More retries belong to the next invocation, which ECS makes anyway."""

TIMEOUT_VARIABLE = "ECS_HOOKS_AWS_TIMEOUT_SECONDS"
"""Environment variable with the seconds that AWS may take to answer one call."""

_ATTEMPTS_VARIABLE = "AWS_MAX_ATTEMPTS"
"""botocore's own."""

_making = Lock()
"""Checks ask from several threads: clients may be shared by threads, the session that makes them may not."""


def client(service: str, region: str, *, seconds: float | None = None, attempts: int | None = None) -> Any:
    """Return the client of an AWS service.

    Parameters
    ----------
    service
        Name in botocore, such as `ecs`.
    region
        Region of the deployment, from its ARN.
    seconds
        How long AWS may take to answer one call; by default as `ECS_HOOKS_AWS_TIMEOUT_SECONDS` says.
    attempts
        How often one call is tried; by default `ATTEMPTS`, or as `AWS_MAX_ATTEMPTS` says.

    Raises
    ------
    FactDeniedError
        If the environment of the function has a mistake.
    """
    # What the environment says is part of the key: a test or a simulator may change it.
    environment = map(os.environ.get, ("AWS_ENDPOINT_URL", TIMEOUT_VARIABLE, _ATTEMPTS_VARIABLE))
    with _making:
        return _client(service, region, seconds, attempts, *environment)


def credentials() -> Any:
    """Return the credentials of the function's role, as they are now: `access_key`, `secret_key` and `token`.

    Raises
    ------
    FactError
        If there are none.
    """
    try:
        with _making:
            found = _session().get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
    except Exception as error:
        raise fact_error("AWS credentials", error) from error
    if frozen is None:
        raise FactDeniedError("there are no AWS credentials to sign requests with")
    return frozen


@lru_cache(maxsize=32)
def _client(
    service: str,
    region: str,
    own_seconds: float | None,
    own_attempts: int | None,
    endpoint_url: str | None,
    timeout: str | None,
    attempts: str | None,
) -> Any:
    with gc_freeze():
        # botocore costs more time to load than all of this library: a hook that only speaks HTTP never gets here.
        from botocore.config import Config  # noqa: PLC0415

        retries: dict[str, Any] = {"mode": "standard"}
        if own_attempts is not None or attempts is None:
            retries["total_max_attempts"] = own_attempts or ATTEMPTS
        seconds = own_seconds or _seconds(timeout)
        config = Config(
            connect_timeout=min(seconds / 2, 30), read_timeout=seconds, retries=retries, user_agent_extra="ecs-hooks"
        )
        return _session().create_client(service, region_name=region, endpoint_url=endpoint_url, config=config)


@lru_cache(maxsize=1)
def _session() -> Any:
    """Return the session of all clients: what it has read of botocore's data is read once."""
    from ecs_hooks.aws.session import fast_session  # noqa: PLC0415 - as above

    return fast_session()


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or 4)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 60:  # noqa: PLR2004 - longer than ECS waits between two invocations makes no sense
        raise FactDeniedError(f"{TIMEOUT_VARIABLE} of the function must be a number of seconds up to 60")
    return seconds
