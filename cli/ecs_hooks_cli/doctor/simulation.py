"""What a role may do, asked of IAM's policy simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask_page, reading

ACTION = "iam:SimulatePrincipalPolicy"

_PAGES = 10


class Simulated(NamedTuple):
    """Whether a role may do something.

    Parameters
    ----------
    decision
        `allowed`, `implicitDeny` (nothing allows it) or `explicitDeny` (something denies it).
    missing
        Context keys that policies make conditions of, and that are not known beforehand: the decision may be another.
    limited_by
        What stands above the role's own policies and does not allow it; empty where nothing does.
    """

    decision: str
    missing: tuple[str, ...] = ()
    limited_by: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it may, whatever else."""
        return self.decision == "allowed" and not self.missing


def simulate(
    role: str, actions: Sequence[str], resources: Sequence[str], region: str, context: Mapping[str, str]
) -> dict[str, Simulated]:
    """Ask IAM whether a role may do things to all of some resources, by the policies of the role and above it.

    Policies of the resources themselves have no part in it: IAM does not simulate them for roles.

    Parameters
    ----------
    role
        ARN of the role.
    actions
        IAM actions.
    resources
        ARNs of the resources that each of them needs.
    region
        Region, for the address of IAM.
    context
        Context keys whose values are known.

    Raises
    ------
    FactError
        If IAM does not answer.
    """
    asked: dict[str, Any] = {
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
        answer = ask_page(ACTION, region, **asked)
        with reading(ACTION):
            found |= {str(each["EvalActionName"]): _worst(each) for each in answer["EvaluationResults"]}
        if not answer.get("Marker"):
            break
        asked["Marker"] = answer["Marker"]
    with reading(ACTION):
        return {action: found[action] for action in actions}


def statement(actions: str | Sequence[str], resources: Sequence[str]) -> str:
    """Return the statement of a policy that allows something, as JSON."""
    one = resources[0] if len(resources) == 1 else list(resources)
    return json.dumps({"Effect": "Allow", "Action": actions, "Resource": one})


def _worst(result: Mapping[str, Any]) -> Simulated:
    """Return what holds for all of the resources."""
    decisions = list(_decisions(result))
    order = ["explicitDeny", "implicitDeny", "allowed"]
    worst = min(decisions, key=lambda each: order.index(each.decision))
    return worst._replace(missing=tuple(sorted({key for each in decisions for key in each.missing})))


def _decisions(result: Mapping[str, Any]) -> Iterator[Simulated]:
    yield _decision(result, str(result["EvalDecision"]))
    for each in result.get("ResourceSpecificResults") or []:
        yield _decision(each, str(each["EvalResourceDecision"]))


def _decision(result: Mapping[str, Any], decision: str) -> Simulated:
    limits = {
        "its permissions boundary": (result.get("PermissionsBoundaryDecisionDetail") or {}).get(
            "AllowedByPermissionsBoundary"
        ),
        "a policy of the organization": (result.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations"),
    }
    limited_by = " and ".join(limit for limit, allowed in limits.items() if allowed is False)
    return Simulated(decision, tuple(result.get("MissingContextValues") or ()), limited_by)
