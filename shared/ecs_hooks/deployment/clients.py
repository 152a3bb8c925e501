"""AWS clients, made on first use and kept while the function stays warm.

They are made by botocore itself: boto3 would load managed transfers for S3 and resources on top of it, which nobody here
needs, and that takes longer than to make a client.
"""

from __future__ import annotations

import os
from functools import lru_cache
from threading import Lock
from typing import Any

from ecs_hooks.loading import all_of_it_stays

ATTEMPTS = 2
"""Tries of one AWS call. More retries belong to the next invocation, which ECS makes anyway."""

_making = Lock()
"""Checks ask from several threads: clients may be shared by threads, the session that makes them may not."""


def client(service: str, region: str) -> Any:
    """Return the client of an AWS service.

    Parameters
    ----------
    service
        Name in botocore, such as `ecs`.
    region
        Region of the deployment, from its ARN.
    """
    # The endpoint is part of the key: a test or a simulator may move it.
    with _making:
        return _client(service, region, os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=32)
def _client(service: str, region: str, endpoint_url: str | None) -> Any:
    with all_of_it_stays():
        # botocore costs more time to load than all of this library: a hook that only speaks HTTP never gets here.
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=2,
            read_timeout=4,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            user_agent_extra="ecs-hooks",
        )
        return _session().create_client(service, region_name=region, endpoint_url=endpoint_url, config=config)


@lru_cache(maxsize=1)
def _session() -> Any:
    """Return the session of all clients: what it has read of botocore's data is read once."""
    from ecs_hooks.deployment.session import fast_session  # noqa: PLC0415 - as above

    return fast_session()
