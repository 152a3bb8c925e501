"""Placeholders for the things of a deployment, in the dimensions of metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.deployment.revision import ACTION
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS

if TYPE_CHECKING:
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.revision import ServiceRevision

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class NoBlueError(ExplainedError):
    """Something of blue was asked for on a first deployment, which has no blue."""

    @property
    def outcome(self) -> Outcome:
        """A `SKIP`: there is nothing to compare green with."""
        return Outcome.skip(str(self))


def placeholders(text: str) -> list[str]:
    """Return the placeholders in a text.

    Raises
    ------
    ValueError
        If one of them is not known; the message names those that are.
    """
    names = _PLACEHOLDER.findall(text)
    for name in names:
        if name not in _FILL:
            raise ValueError(
                f"{{{name[:40]}}} is no known placeholder; known: {', '.join(f'{{{each}}}' for each in _FILL)}"
            )
    return names


def filled(text: str, deployment: Deployment) -> str:
    """Return a text with the deployment's own names in place of its placeholders.

    Raises
    ------
    FactError
        If AWS does not tell one of them.
    """
    return _PLACEHOLDER.sub(lambda match: _FILL[match.group(1)].fill(deployment), text)


def placeholder_actions(text: str) -> frozenset[str]:
    """Return the IAM actions behind what the placeholders in a text stand for."""
    return frozenset().union(*(_FILL[name].actions for name in placeholders(text)))


def _green(deployment: Deployment) -> str:
    return _target_group(deployment.green)


def _blue(deployment: Deployment) -> str:
    blue = deployment.blue
    if blue is None:
        raise NoBlueError("this is the first deployment of the service, so there is no blue to measure")
    return _target_group(blue)


def _target_group(revision: ServiceRevision) -> str:
    for each in revision.load_balancing:
        if each.target_group:
            return each.target_group.rpartition(":")[2]
    raise FactError(f"{ACTION}: no target group of {revision.arn.rpartition('/')[2]} is resolved")


def _load_balancer(deployment: Deployment) -> str:
    for each in deployment.green.load_balancing:
        if each.production:
            # listener-rule/app/NAME/ID/... and listener/net/NAME/ID/... both name the load balancer so.
            return "/".join(each.production.rpartition(":")[2].split("/")[1:4])
    raise FactError(f"{ACTION}: the service has no production listener")


class _Placeholder(NamedTuple):
    """How a placeholder is filled in, and the IAM actions that this takes."""

    fill: Callable[[Deployment], str]
    actions: frozenset[str] = frozenset()


def _blue_version(deployment: Deployment) -> str:
    if not deployment.blue_version:
        raise NoBlueError("this is the first version behind the alias, so there is no blue to measure")
    return deployment.blue_version


_FILL: dict[str, _Placeholder] = {
    "green.target_group": _Placeholder(_green, frozenset({ACTION})),
    "blue.target_group": _Placeholder(_blue, frozenset({ACTION, DEPLOYMENTS})),
    "load_balancer": _Placeholder(_load_balancer, frozenset({ACTION})),
    "cluster": _Placeholder(lambda deployment: deployment.cluster),
    "service": _Placeholder(lambda deployment: deployment.service),
    "function": _Placeholder(lambda deployment: deployment.function),
    "alias": _Placeholder(lambda deployment: deployment.alias),
    "green.version": _Placeholder(lambda deployment: deployment.green_version),
    "blue.version": _Placeholder(_blue_version),
}
