"""The environment variables of hooks in a simulation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def of_hooks(endpoint_url: str, region: str, host: str = "127.0.0.1") -> dict[str, str]:
    """Return those that lead a hook to AWS at an endpoint, with credentials that are none.

    Parameters
    ----------
    endpoint_url
        Where AWS answers.
    region
        Of the service.
    host
        Where green answers: an address to which hooks do not speak unless they are told that they may.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "simulator",
        "AWS_SECRET_ACCESS_KEY": "simulator",
        "AWS_SESSION_TOKEN": "simulator",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "ECS_HOOKS_ALLOWED_HOSTS": host,
    }


@contextmanager
def use(variables: Mapping[str, str]) -> Iterator[None]:
    """Have variables in `os.environ` for as long as the block lasts."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
