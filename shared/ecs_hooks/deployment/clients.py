"""AWS clients, made on first use and kept while the function stays warm."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

ATTEMPTS = 2
"""Tries of one AWS call. More retries belong to the next invocation, which ECS makes anyway."""


def client(service: str, region: str) -> Any:
    """Return the client of an AWS service.

    Parameters
    ----------
    service
        Name in boto3, such as `ecs`.
    region
        Region of the deployment, from its ARN.
    """
    # The endpoint is part of the key: a test or a simulator may move it.
    return _client(service, region, os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=32)
def _client(service: str, region: str, endpoint_url: str | None) -> Any:
    # botocore costs more time to load than all of this library: a hook that only speaks HTTP never gets here.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=2,
        read_timeout=4,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        user_agent_extra="ecs-hooks",
    )
    session = boto3.session.Session()
    return session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
