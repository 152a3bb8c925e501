"""The digest check: the version that answers is the version that was deployed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.validation_errors import Form
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS


class DigestCheck(Check):
    """Requests green's version, and compares it with the image of the revision.

    The application must return the tag or the digest of its image, in a header or in JSON. A load balancer, a cache or a
    listener rule that sends the request to blue shows in no status code; this check detects it.
    """

    type: Literal["digest"] = "digest"
    path: Annotated[str, Field(pattern=r"^/"), Form("/PATH")] = "/"
    """Path of the request."""
    header: str = ""
    """Response header that has the version; or"""
    json_path: str = Field(default="", alias="json")
    """the JSONPath of the version in a JSON body, such as `$.version`."""
    container: str = ""
    """Name of the container whose image counts. Default: the container behind the load balancer, else the first one."""

    @model_validator(mode="after")
    def _has_header_or_json(self) -> DigestCheck:
        if bool(self.header) == bool(self.json_path):
            raise ValueError("give one of header and json")
        self._http_check("x")  # an invalid header or JSONPath is a mistake in the plan, not a failure of green
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(listener="test", actions=frozenset({DESCRIBE_REVISIONS}))

    def run(self, context: CheckContext) -> Outcome:
        """Request the version, and compare it with tag and digest of the image."""
        green, images = context.deployment.green, context.deployment.images
        # The request goes to the load balancer with the test listener, if there is one.
        balancers = sorted(green.load_balancing, key=lambda each: not each.test)
        name = self.container or next((each.container for each in balancers), next(iter(images), ""))
        if name not in images:
            return Outcome.failed(
                f"container {name!r} has no image in green; containers: {', '.join(images) or 'none'}"
            )
        versions = _versions(*images[name])
        if not versions:
            return Outcome.error(f"ECS has not resolved the image of container {name} yet")
        return self._http_check(f"^(?:{'|'.join(map(re.escape, versions))})$").run(context)

    def _http_check(self, pattern: str) -> HttpCheck:
        expected: dict[str, Any] = {"matches": pattern}
        where = {"headers": {self.header: expected}} if self.header else {"json": {self.json_path: expected}}
        return HttpCheck.model_validate({"path": self.path, "expect": where})


def _versions(image: str, digest: str) -> list[str]:
    """Return the allowed versions: the tag, the digest, and the digest without its algorithm."""
    name, _, at = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    digests = [each for each in (digest, at) if each]
    return [each for each in (tag, *digests, *(each.partition(":")[2] for each in digests)) if each]
