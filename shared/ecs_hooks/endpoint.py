"""Where green answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ecs_hooks.event import Stage

if TYPE_CHECKING:
    from ecs_hooks.plan import Plan

_BEFORE_TEST_TRAFFIC = {
    Stage.RECONCILE_SERVICE,
    Stage.PRE_SCALE_UP,
    Stage.POST_SCALE_UP,
    Stage.TEST_TRAFFIC_SHIFT,
}
"""Stages at which the test listener does not, or not for certain, lead to the new revision yet."""


class Endpoint(NamedTuple):
    """The address of green.

    Parameters
    ----------
    base_url
        The address, or None where it is not known.
    missing
        Why it is not known, and how to mend that.
    """

    base_url: str | None
    missing: str = ""


def green_endpoint(plan: Plan, stage: str) -> Endpoint:
    """Return where green answers: `base_url` of the plan, or else `APP_URL` of the function's environment.

    `APP_URL` is one address for all stages, so it counts only once the test traffic has been shifted: before that,
    "the green service revision is not serving any traffic" (ECS developer guide) and the address reaches blue.
    """
    if plan.policies.base_url:
        return Endpoint(plan.policies.base_url)
    app_url = os.environ.get("APP_URL", "").strip()
    if not app_url:
        return Endpoint(None, "the address of green is not known: set hookDetails.base_url, or APP_URL of the function")
    if stage in _BEFORE_TEST_TRAFFIC:
        return Endpoint(
            None, f"APP_URL does not lead to green at {stage} yet, it would test blue: set hookDetails.base_url"
        )
    if urlsplit(app_url).scheme not in {"http", "https"}:
        return Endpoint(None, "APP_URL of the function must begin with http:// or https://")
    return Endpoint(app_url)
