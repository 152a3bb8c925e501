"""Users of a simulated service: without them there is nothing that a load balancer could measure."""

from __future__ import annotations

from contextlib import suppress

import urllib3

PERIOD = 60.0
"""Seconds between two visits, as long as a datapoint of the load balancer's metrics."""

REQUESTS = 10
"""Requests of a visit, where nobody says another number."""


class Users:
    """Requests of the home page, so many a minute, one after the other.

    Parameters
    ----------
    url
        Address of the production listener.
    requests
        How many a visit makes.
    """

    def __init__(self, url: str, requests: int) -> None:
        self._url = url
        self._requests = requests

    def visit(self, *_: object) -> None:
        """Make the requests of a minute; whatever comes of them is for the load balancer to know."""
        with urllib3.PoolManager(retries=False, timeout=10) as http:
            for _request in range(self._requests):
                with suppress(urllib3.exceptions.HTTPError):
                    http.request("GET", f"{self._url}/")
