"""The digest check: what answers is the version that was deployed."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.revision import ACTION as REVISIONS


class DigestCheck(Check):
    """Asks green which version it is, and compares that with the image of the revision.

    The application has to tell its image's tag or digest, in a header or in JSON. Load balancers, caches and rules that
    lead elsewhere do not show in any status code; this is the check that notices that the answer came from blue.
    """

    type: Literal["digest"] = "digest"
    path: str = Field(default="/", pattern=r"^/")
    """Where green tells its version."""
    header: str = ""
    """The header it tells it in; or"""
    json_path: str = Field(default="", alias="json")
    """the place in the JSON of the body, as a JSONPath such as `$.version`."""
    container: str = ""
    """Name of the container whose image counts. Default: the only one, or that behind the load balancer."""

    @model_validator(mode="after")
    def _has_one_place(self) -> DigestCheck:
        if bool(self.header) == bool(self.json_path):
            raise ValueError("give one of header and json")
        self._asking("x")  # what is no header or JSONPath shows now, not in a deployment
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(listener="test", actions=frozenset({REVISIONS}))

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        green, images = context.deployment.green, context.deployment.images
        name = self.container or next((each.container for each in green.load_balancing), next(iter(images), ""))
        if name not in images:
            return Outcome.failed(f"ECS names no image of a container {name!r} of green")
        versions = _versions(*images[name])
        if not versions:
            return Outcome.error(f"ECS has not resolved the image of container {name} yet")
        return self._asking(f"^(?:{'|'.join(map(re.escape, versions))})$").run(context)

    def _asking(self, pattern: str) -> HttpCheck:
        expected: dict[str, Any] = {"matches": pattern}
        where = {"headers": {self.header: expected}} if self.header else {"json": {self.json_path: expected}}
        return HttpCheck.model_validate({"path": self.path, "expect": where})


def _versions(image: str, digest: str) -> list[str]:
    """Return what an application may call itself: tag, digest, or the digest without its algorithm."""
    name, _, at = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    digests = [each for each in (digest, at) if each]
    return [each for each in (tag, *digests, *(each.partition(":")[2] for each in digests)) if each]
