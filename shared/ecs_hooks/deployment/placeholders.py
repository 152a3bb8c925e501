"""Placeholders for names of the deployment, in the dimensions of metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.deployment.listener import target_group_names
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS as DEPLOYMENTS

if TYPE_CHECKING:
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.revision import LoadBalancing, ServiceRevision

_OF_LOAD_BALANCER = {"green.target_group", "blue.target_group", "load_balancer"}
_PATTERN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
"""A literal brace, which is written twice, or a placeholder."""


class NoBlueError(ExplainedError):
    """A first deployment has no blue."""

    @property
    def outcome(self) -> Outcome:
        """A `SKIP`: there is nothing to compare green with."""
        return Outcome.skip(str(self))


class _Placeholder(NamedTuple):
    """The value of a placeholder, and the IAM actions that it requires."""

    value: Callable[[Deployment], str]
    actions: frozenset[str] = frozenset()


def placeholders(text: str) -> list[str]:
    """Return the names of the placeholders in a text; raise `ValueError` for an unknown one."""
    names = [found[1] for found in _PATTERN.finditer(text) if found[1] is not None]
    for name in names:
        if name not in _PLACEHOLDERS:
            allowed = ", ".join(f"{{{each}}}" for each in _PLACEHOLDERS)
            raise ValueError(
                f"{{{name[:40]}}} is not a placeholder; allowed: {allowed}; a literal brace is written twice"
            )
    return names


def fill_placeholders(text: str, deployment: Deployment) -> str:
    """Return a text with the values of its placeholders; raise `FactError` if one is unknown."""
    return _replaced(text, lambda name: _PLACEHOLDERS[name].value(deployment))


def literal_text(text: str) -> str:
    """Return the characters of a text that are not placeholders."""
    return _replaced(text, lambda _: "")


def for_revision(text: str, revision: str) -> str:
    """Return a text with placeholders such as `{green.target_group}` in place of `{revision.target_group}`."""
    return _PATTERN.sub(
        lambda found: found[0] if found[1] is None else f"{{{re.sub('^revision[.]', f'{revision}.', found[1])}}}", text
    )


def _replaced(text: str, value: Callable[[str], str]) -> str:
    return _PATTERN.sub(lambda found: found[0][0] if found[1] is None else value(found[1]), text)


def placeholder_actions(text: str) -> frozenset[str]:
    """Return the IAM actions that the placeholders in a text require."""
    return frozenset().union(*(_PLACEHOLDERS[name].actions for name in placeholders(text)))


def _blue_target_group(deployment: Deployment) -> str:
    blue = deployment.blue
    if blue is None:
        raise NoBlueError("this is the first deployment of the service, so there is no blue to measure")
    return _target_group(blue)


def _chosen(revision: ServiceRevision) -> LoadBalancing | None:
    """Return the load balancer of the placeholders: the first one with production traffic, else the first one."""
    balancers = revision.load_balancing
    return next((each for each in balancers if each.production), balancers[0] if balancers else None)


def _target_group(revision: ServiceRevision) -> str:
    chosen = _chosen(revision)
    if chosen is not None and chosen.target_group:
        return target_group_dimension(chosen)
    raise FactError(f"{DESCRIBE_REVISIONS}: the target group of {revision.arn.rpartition('/')[2]} is not resolved")


def _load_balancer(deployment: Deployment) -> str:
    chosen = _chosen(deployment.green)
    if chosen is not None and chosen.production:
        return load_balancer_dimension(chosen)
    raise FactError(f"{DESCRIBE_REVISIONS}: the service has no production listener")


def target_group_dimension(balancer: LoadBalancing) -> str:
    """Return the value of the dimension `TargetGroup` of a load balancer whose target group is resolved."""
    return balancer.target_group.rpartition(":")[2]


def load_balancer_dimension(balancer: LoadBalancing) -> str:
    """Return the value of the dimension `LoadBalancer` of a load balancer with a production listener."""
    # The name of the load balancer in listener-rule/app/NAME/ID/... and listener/net/NAME/ID/...
    return "/".join(balancer.production.rpartition(":")[2].split("/")[1:4])


def unmeasured(texts: Iterable[str], deployment: Deployment) -> list[str]:
    """Return the load balancers of green that the placeholders in some texts leave out; empty without such placeholders."""
    if not any(_OF_LOAD_BALANCER.intersection(placeholders(text)) for text in texts):
        return []
    green = deployment.green
    return [*others(green.load_balancing, _chosen(green)), *green.unread]


def others(balancers: Sequence[LoadBalancing], chosen: LoadBalancing | None) -> list[str]:
    """Return the load balancers besides a chosen one, by their target groups."""
    return [target_group_names([each.target_group or each.pair[0]]) for each in balancers if each is not chosen]


def _blue_version(deployment: Deployment) -> str:
    if not deployment.blue_version:
        raise NoBlueError("this is the first version behind the alias, so there is no blue to measure")
    return deployment.blue_version


_PLACEHOLDERS: dict[str, _Placeholder] = {
    "green.target_group": _Placeholder(
        lambda deployment: _target_group(deployment.green), frozenset({DESCRIBE_REVISIONS})
    ),
    "blue.target_group": _Placeholder(_blue_target_group, frozenset({DESCRIBE_REVISIONS, DEPLOYMENTS})),
    "load_balancer": _Placeholder(_load_balancer, frozenset({DESCRIBE_REVISIONS})),
    "cluster": _Placeholder(lambda deployment: deployment.cluster),
    "service": _Placeholder(lambda deployment: deployment.service),
    "function": _Placeholder(lambda deployment: deployment.function),
    "alias": _Placeholder(lambda deployment: deployment.alias),
    "green.version": _Placeholder(lambda deployment: deployment.green_version),
    "blue.version": _Placeholder(_blue_version),
}
