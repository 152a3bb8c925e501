"""Users of a simulated service: without them there is nothing that a load balancer could measure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import urllib3

from ecs_hooks_simulator.traffic.load_balancer import VIRTUAL

PERIOD = 60.0
"""Seconds between two visits, as long as a datapoint of the load balancer's metrics."""

FIRST = 20.0
"""Seconds after the start of a deployment at which the first visit is. Steps, faults and hooks come at full and half
minutes: no visit is a race with one of them."""

REQUESTS = 10
"""Requests of a visit, where nobody says another number."""

_AT_ONCE = 20
"""Requests at the same time of users who really wait: one slow answer after the other would take longer than a minute."""


class Users:
    """Requests of the home page, so many a minute.

    Parameters
    ----------
    url
        Address of the production listener.
    requests
        How many a visit makes.
    virtual
        Whether they live in virtual time, and so do not really wait for what a fault makes slow.
    """

    def __init__(self, url: str, requests: int, *, virtual: bool = False) -> None:
        self._headers = {VIRTUAL: "1"} if virtual else {}
        self._url = url
        self._requests = requests

    def visit(self, *_: object) -> None:
        """Make the requests of a minute; whatever comes of them is for the load balancer to know."""
        with urllib3.PoolManager(retries=False, timeout=10, maxsize=_AT_ONCE) as http:

            def ask(_: int) -> None:
                with suppress(urllib3.exceptions.HTTPError):
                    http.request("GET", f"{self._url}/", headers=self._headers)

            with ThreadPoolExecutor(1 if self._headers else _AT_ONCE) as pool:
                list(pool.map(ask, range(self._requests)))
