"""What a check requires: of the deployment, of the network, of the function's role, and of the time of an invocation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ecs_hooks.auth.fields import SigV4
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.deployment.actions import SharedActions
    from ecs_hooks.deployment.endpoint import Endpoint, Listener


class Requirements(NamedTuple):
    """The requirements of a check. The defaults are those of a check that needs nothing.

    `ecs-hooks doctor` reads them, the plan compares them with its deadline, and IAM policies are made of them.

    Parameters
    ----------
    listener
        The listener through which the check sends requests to green; None where it sends none.
    port
        The port of green that the check connects to, where it differs from the one of green's address.
    urls
        Absolute addresses that the check sends requests to, besides those of green and blue.
    methods
        HTTP methods of the requests to green, where the plan chooses them.
    blue
        Whether the check sends requests to blue, at an address that AWS provides.
    running
        Whether green must be running.
    secrets
        The secrets that the check reads by reference.
    signatures
        The SigV4 settings of its requests.
    seconds
        Seconds that the check needs within one invocation; 0 where any time will do.
    watch_seconds
        Seconds for which the check watches before it can pass. The plan must not end sooner.
    actions
        IAM actions that the check needs at every service.
    service_actions
        Returns the IAM actions that depend on the stage or on the load balancers of the service.
    address_problem
        Returns why the check says nothing about green at this address; empty where there is no problem.
    """

    listener: Listener | None = None
    port: int | None = None
    urls: Sequence[str] = ()
    methods: Sequence[str] = ()
    blue: bool = False
    running: bool = False
    secrets: Sequence[Reference] = ()
    signatures: Sequence[SigV4] = ()
    seconds: float = 0
    watch_seconds: float = 0
    actions: frozenset[str] = frozenset()
    service_actions: Callable[[SharedActions], frozenset[str]] = lambda _: frozenset()
    address_problem: Callable[[Endpoint], str] = lambda _: ""

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that the check assumes."""
        return tuple(each.role_arn for each in self.signatures if each.role_arn is not None)

    def iam_actions(self, shared: SharedActions) -> frozenset[str]:
        """Return the IAM actions that the role of the function must allow, such as `ecs:ListTasks`.

        Parameters
        ----------
        shared
            The actions that checks have in common at this service and stage.
        """
        if self.running and not shared.green_runs:
            return frozenset()
        found = {*self.actions, *self.service_actions(shared)}
        found |= {each.action for each in self.secrets if each.action}
        if self.roles:
            from ecs_hooks.auth.role import ACTION  # noqa: PLC0415 - it loads botocore

            found.add(ACTION)
        if self.listener is not None:
            found |= shared.both if self.blue else shared.endpoint[self.listener]
        return frozenset(found)
