"""AWS clients, made on first use and kept while the function is warm.

They are made by botocore alone: boto3 would also load S3 transfers and resources, which takes longer than making a client.
"""

from __future__ import annotations

import os
from functools import lru_cache
from threading import Lock
from typing import Any

from ecs_hooks.aws.errors import FactDeniedError, aws_error
from ecs_hooks.core.gc_freeze import gc_freeze

ATTEMPTS = 2
"""Attempts of one AWS call. Further retries happen in the next invocation by ECS."""

TIMEOUT_VARIABLE = "ECS_HOOKS_AWS_TIMEOUT_SECONDS"
"""Environment variable with the timeout of one AWS call, in seconds."""

_ATTEMPTS_VARIABLE = "AWS_MAX_ATTEMPTS"
"""botocore's own environment variable."""

_DEFAULT_TIMEOUT = 4.0
_MAX_TIMEOUT = 60.0

_lock = Lock()
"""Checks run in several threads. Clients are thread-safe, sessions are not."""


def client(service: str, region: str, *, seconds: float | None = None, attempts: int | None = None) -> Any:
    """Return the client of an AWS service.

    Parameters
    ----------
    service
        Name in botocore, such as `elbv2`.
    region
        Region to call.
    seconds, attempts
        Timeout and attempts of one call. Default: `ECS_HOOKS_AWS_TIMEOUT_SECONDS`, and `AWS_MAX_ATTEMPTS` or else `ATTEMPTS`.

    Raises
    ------
    FactDeniedError
        If `ECS_HOOKS_AWS_TIMEOUT_SECONDS` is invalid.
    """
    # The environment is part of the cache key: a test or a simulator may change it.
    environment = map(os.environ.get, ("AWS_ENDPOINT_URL", TIMEOUT_VARIABLE, _ATTEMPTS_VARIABLE))
    with _lock:
        return _client(service, region, seconds, attempts, *environment)


def credentials() -> Any:
    """Return the current credentials of the function's role: `access_key`, `secret_key` and `token`."""
    try:
        with _lock:
            found = _session().get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
    except Exception as error:
        raise aws_error("AWS credentials", error) from error
    if frozen is None:
        raise FactDeniedError("no AWS credentials to sign the request with; run the function with an execution role")
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
        # Imported here: botocore takes longer to load than this library, and a hook without AWS calls does not need it.
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
    """Return the session of all clients, so that botocore's data is read once."""
    from ecs_hooks.aws.session import fast_session  # noqa: PLC0415 - it loads botocore

    return fast_session()


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or _DEFAULT_TIMEOUT)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise FactDeniedError(
            f"environment variable {TIMEOUT_VARIABLE} of the function: must be a number of seconds above 0 and at most "
            f"{_MAX_TIMEOUT:g}, not {text!r:.40}"
        )
    return seconds
