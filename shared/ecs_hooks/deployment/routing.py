"""Which rule of a listener takes a request, and whether that rule forwards to the revision in question alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.deployment.alb_address import meet_conditions, sent_parts
from ecs_hooks.deployment.endpoint import RoutingError
from ecs_hooks.deployment.listener import obstacle_text, short_arn, target_group_names
from ecs_hooks.deployment.rule_matching import Match, Sent, match_condition, match_rule, shown, values_of
from ecs_hooks.http.errors import NameResolutionError
from ecs_hooks.http.resolver import resolve

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Rule
    from ecs_hooks.http.request import Request

_MOST_KNOWN = 1_000
"""Most requests whose result is kept: a load repeats few different ones."""

_DNS_SECONDS = 5.0
"""Timeout to resolve the name in a redirect."""


class Routing:
    """The rules of a listener, by which requests must reach a revision.

    Parameters
    ----------
    rules
        The rules in the order of their evaluation.
    own
        The rule of the revision.
    target_group
        ARN of the revision's target group; empty if it is not known yet: `own` will forward to it, and no other rule.
    whose
        `green` or `blue`, for messages.
    host, port
        DNS name of the load balancer, and port of the listener.
    others
        Returns the rules of another listener of the load balancer, by its port; None if there is no such listener.
    apart
        ARN of a rule that requests as they are written must not rely on, since it forwards to the revision for a time
        only: the other one of the test rule and the production rule.
    """

    def __init__(  # noqa: PLR0913 - one argument for each property
        self,
        rules: Sequence[Rule],
        own: Rule,
        target_group: str,
        *,
        whose: str,
        host: str,
        port: int,
        others: Callable[[int], Sequence[Rule] | None],
        apart: str = "",
    ) -> None:
        self._rules = rules
        self._own = own
        self._target_group = target_group
        self._whose = whose
        self._host = host
        self._port = port
        self._others = others
        self._apart = apart
        self._known: set[tuple[object, ...]] = set()
        self._is_balancer: dict[str, bool] = {}

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the rule accepts; empty for any."""
        conditions = (each for each in self._own.route.conditions if each.get("Field") == "http-request-method")
        return tuple(value for each in conditions for value in values_of(each))

    def routed(self, request: Request, given: Collection[str]) -> Request:
        """Return a request that certainly reaches the revision, and that is verified again each time it is sent.

        Parameters
        ----------
        request
            The request as the plan has it.
        given
            The names of the headers that the plan sets, in lower case.

        Raises
        ------
        RequestError
            If the request cannot be changed so that it certainly reaches the revision.
        """
        if not self._reaches_as_written(sent_parts(request)):
            request = meet_conditions(self._own.route.conditions, request, given)
        names = frozenset({self._host.lower(), request.server_name.lower()})
        request = request._replace(guard=partial(self.verify, names))
        try:
            self._verify(self._rules, sent_parts(request), is_own_listener=True)
        except RoutingError as error:
            error.where = request.shown
            raise
        return request

    def verify(self, names: Collection[str], request: Request) -> None:
        """Verify that a request reaches the revision, as it is sent.

        Parameters
        ----------
        names
            The names of the load balancer in lower case: its DNS name, and that of the `Host` of requests to it. A redirect
            to another name is verified if that name has an address of the load balancer, as that of its production traffic.
        request
            The request.

        Raises
        ------
        RoutingError
            If it may not reach the revision.
        """
        key = (request.method, request.url, len(request.body or b""), *request.headers.items())
        if key in self._known:
            return
        name = request.url.host.lower()
        if name in names or self._has_name(name):
            is_own = request.url.port == self._port
            rules = self._rules if is_own else self._others(request.url.port)
            if rules is not None:
                self._verify(rules, Sent.of(request), is_own_listener=is_own)
        if len(self._known) < _MOST_KNOWN:
            self._known.add(key)

    def _has_name(self, name: str) -> bool:
        """Return whether a name has an address of the load balancer."""
        if name not in self._is_balancer:
            own, other = (self._addresses(each) for each in (self._host, name))
            self._is_balancer[name] = not own.isdisjoint(other)
        return self._is_balancer[name]

    def _addresses(self, name: str) -> set[object]:
        with suppress(NameResolutionError, TimeoutError):  # the request itself fails
            return {each.address for each in resolve(name, self._port, Deadline.after(_DNS_SECONDS))}
        return set()

    def _reaches_as_written(self, sent: Sent) -> bool:
        """Return whether a rule with conditions certainly forwards a request to the revision."""
        for rule in self._rules:
            found = match_rule(rule.route.conditions, sent)
            if found is Match.NO:
                continue
            if found is Match.MAYBE or rule.arn == self._apart or self._obstacle(rule):
                return False
            return bool(rule.route.conditions)
        return False

    def _verify(self, rules: Sequence[Rule], sent: Sent, *, is_own_listener: bool) -> None:
        """Raise `RoutingError` if a rule takes or may take a request that does not forward to the revision alone."""
        verb, is_later = "takes", False
        for rule in rules:
            found = match_rule(rule.route.conditions, sent)
            if rule is self._own and found is not Match.YES:
                is_later = True
            if found is Match.NO:
                continue
            obstacle = self._obstacle(rule)
            if found is Match.MAYBE:
                verb = "may take"
            if obstacle:
                problem = f"{_described(rule)} {verb} the request, and {obstacle}"
                if is_later:
                    raise RoutingError(
                        f"{problem}: the request is not certain to match {self._unmet(sent)} of {short_arn(self._own.arn)}",
                        f"change the request so that it reaches {self._whose}",
                    )
                fix = (
                    "change the request, or the priority of the rule"
                    if is_own_listener
                    else "do not follow the redirect"
                )
                raise RoutingError(problem, fix)
            if found is Match.YES:
                return
        raise RoutingError("no rule of the listener takes the request", "change the request")

    def _obstacle(self, rule: Rule) -> str:
        """Return why a rule does not forward to the revision alone; empty if it does."""
        route = rule.route
        if route.obstacle:
            return obstacle_text(route)
        if rule is self._own or (self._target_group and route.target_groups == (self._target_group,)):
            return ""
        return f"forwards to {target_group_names(route.target_groups)}, not to {self._whose} alone"

    def _unmet(self, sent: Sent) -> str:
        """Return the conditions of the revision's rule that a request is not certain to match."""
        conditions = self._own.route.conditions
        return " and ".join(shown(each) for each in conditions if match_condition(each, sent) is not Match.YES)


def _described(rule: Rule) -> str:
    if rule.priority is None:
        return f"{short_arn(rule.arn)} (the default rule)"
    return f"{short_arn(rule.arn)} (priority {rule.priority}, {', '.join(map(shown, rule.route.conditions))})"
