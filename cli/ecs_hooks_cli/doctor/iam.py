"""Whether IAM allows an action: by its policy simulator for identity policies, by own evaluation for resource policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws, parsing

_SIMULATE = "iam:SimulatePrincipalPolicy"
_PAGES = 10


class Simulated(NamedTuple):
    """The simulator's decision about an action of a role.

    Parameters
    ----------
    decision
        `allowed`, `implicitDeny` or `explicitDeny`.
    missing
        Context keys that conditions use and whose values are unknown: the real decision may differ.
    limited_by
        The permissions boundary or organization policy that does not allow the action; empty if there is none.
    """

    decision: str
    missing: tuple[str, ...] = ()
    limited_by: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the action is allowed under any conditions."""
        return self.decision == "allowed" and not self.missing

    @property
    def denied_by(self) -> str:
        """The policy that blocks the action; empty if the action is only missing in the policies."""
        return self.limited_by or ("one of its policies" if self.decision == "explicitDeny" else "")


def simulate(
    role: str, actions: Sequence[str], resources: Sequence[str], region: str, context: Mapping[str, str]
) -> dict[str, Simulated]:
    """Return the decision for each action, all of the resources required. Resource policies are not simulated.

    Raises
    ------
    FactError
        If the call fails.
    """
    parameters: dict[str, Any] = {
        "PolicySourceArn": role,
        "ActionNames": list(actions),
        "ResourceArns": list(resources),
        "ContextEntries": [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in context.items()
        ],
    }
    found: dict[str, Simulated] = {}
    for _ in range(_PAGES):
        answer = call_aws(_SIMULATE, region, **parameters)
        with parsing(_SIMULATE):
            found |= {str(each["EvalActionName"]): _strictest(each) for each in answer["EvaluationResults"]}
        if not answer.get("Marker"):
            break
        parameters["Marker"] = answer["Marker"]
    with parsing(_SIMULATE):
        return {action: found[action] for action in actions}


def statement(action: str, resources: Sequence[str]) -> str:
    """Return the policy statement that allows an action, as JSON."""
    resource = resources[0] if len(resources) == 1 else list(resources)
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})


def _strictest(result: Mapping[str, Any]) -> Simulated:
    """Return the strictest decision for any of the resources, with the missing context keys of all."""
    decisions = [
        _simulated(result, "EvalDecision"),
        *(_simulated(each, "EvalResourceDecision") for each in result.get("ResourceSpecificResults") or []),
    ]
    order = ["explicitDeny", "implicitDeny", "allowed"]
    strictest = min(decisions, key=lambda each: order.index(each.decision))
    return strictest._replace(missing=tuple(sorted({key for each in decisions for key in each.missing})))


def _simulated(result: Mapping[str, Any], member: str) -> Simulated:
    boundary = (result.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary")
    organization = (result.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations")
    limits = {"its permissions boundary": boundary, "a policy of the organization": organization}
    limited_by = " and ".join(limit for limit, allowed in limits.items() if allowed is False)
    return Simulated(str(result[member]), tuple(result.get("MissingContextValues") or ()), limited_by)


class Decision(StrEnum):
    """The decision of a resource policy or trust policy."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """By a statement that no other policy overrides."""
    NOT_ALLOWED = "not allowed"
    """No statement applies."""
    UNDECIDED = "undecided"
    """A statement has conditions or `NotPrincipal`, which are not evaluated."""


_PRECEDENCE = {
    ("Deny", False): Decision.DENIED,
    ("Deny", True): Decision.UNDECIDED,
    ("Allow", False): Decision.ALLOWED,
    ("Allow", True): Decision.UNDECIDED,
}
"""Decision by effect, and by whether the statement has conditions; the first that applies wins."""


def decide(document: object, action: str, kind: str, name: str) -> Decision:
    """Return the decision of a policy about an action of a principal, such as `Service` and `ecs.amazonaws.com`."""
    applying = set(_applying(document, action, kind, name))
    return next((decision for key, decision in _PRECEDENCE.items() if key in applying), Decision.NOT_ALLOWED)


def _applying(document: object, action: str, kind: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield the effect of each statement that may apply, and whether it has conditions."""
    for each in _list(document.get("Statement") if isinstance(document, Mapping) else None):
        if isinstance(each, Mapping) and _has_action(each, action):
            if "NotPrincipal" in each:
                yield str(each.get("Effect")), True
            elif _has_principal(each.get("Principal"), kind, name):
                yield str(each.get("Effect")), bool(each.get("Condition"))


def _has_action(statement: Mapping[str, Any], action: str) -> bool:
    negated = "NotAction" in statement
    patterns = _list(statement["NotAction"] if negated else statement.get("Action"))
    return negated != any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in patterns)


def _has_principal(principal: object, kind: str, name: str) -> bool:
    if isinstance(principal, Mapping):
        names = [str(each) for each in _list(principal.get(kind))]
        # {"AWS": "*"} matches every role, but no service.
        return name in names or (kind == "AWS" and "*" in names)
    return principal == "*"


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
