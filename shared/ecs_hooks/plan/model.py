"""The plan: which checks a hook runs, and what it makes of them.

`hookDetails` is the only input that a service has, so the plan is read from there; every mistake in it is an error that
names the field, since a gate that ignores half of its configuration is no gate.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.json_types import json_type
from ecs_hooks.core.outcome import ExplainedError
from ecs_hooks.core.state import MAX_WATCHED
from ecs_hooks.core.validation_errors import described, fields_at

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check

MAX_CHECKS = 200
"""More would neither fit into one invocation nor into the state that is kept between two."""

REFERENCE = "plan"
"""The field that names where the plan is kept."""

_PLACE = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+|ssm:[A-Za-z0-9_.:/-]+)$"


class Mode(StrEnum):
    """Whether the verdict counts."""

    ENFORCE = "enforce"
    """Answer with the verdict."""
    OBSERVE = "observe"
    """Always answer SUCCEEDED, and say what the verdict would have been."""


class FirstDeployment(StrEnum):
    """What to do on the first deployment of a service, which has nothing to roll back to."""

    RUN = "run"
    """Check it like any other."""
    SKIP = "skip"
    """Answer SUCCEEDED unchecked, so that a hook can't keep a service from coming to life."""


class PlanError(ExplainedError, ValueError):
    """The plan has mistakes.

    Parameters
    ----------
    problems
        One line for each mistake, beginning with the field.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Policies(BaseModel):
    """Everything in a plan but its checks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+[^?#\s]*$", max_length=2000)] | None = None
    """Where green answers, such as `http://test-alb.example.com:8080`. Default: `APP_URL` of the function, or else the
    address that the service's test listener has."""
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$", max_length=255)] | None = None
    """`Host` of every request, and the name that a certificate must be valid for. Default: as the listener rule asks."""
    service_connect: bool = False
    """Whether every request bears the header by which Service Connect knows test traffic: for a `base_url` that leads to
    a service in front, which hands the header on."""
    timeout_minutes: Annotated[float, Field(gt=0, le=1440)] = 30
    """Minutes after which an undecided hook answers FAILED. Keep it below `timeoutInMinutes` of the ECS hook."""
    error_limit: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many times in a row a check may be impossible to ask before that is a failure."""
    mode: Mode = Mode.ENFORCE
    """`enforce`, or `observe` to answer SUCCEEDED whatever happens, and log the verdict."""
    first_deployment: FirstDeployment = FirstDeployment.RUN
    """`run` the checks on a service's first deployment too, or `skip` them."""
    plan: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": _PLACE})] | None = None
    """Where the plan is kept: `s3://BUCKET/KEY` or `ssm:NAME`, in JSON. Fields beside it stand in for those of the plan."""

    @field_validator(REFERENCE)
    @classmethod
    def _is_place(cls, place: str | None) -> str | None:
        if place is not None and not re.fullmatch(_PLACE, place):
            raise ValueError(
                "must be s3://BUCKET/KEY, or ssm: and the name of a parameter, such as ssm:/my-service/plan"
            )
        return place


class Plan(NamedTuple):
    """Checks and policies of one hook at one service.

    Parameters
    ----------
    checks
        The checks, run side by side.
    policies
        Everything else.
    explicit
        Whether the checks come from the configuration, not from the stage's defaults.
    """

    checks: tuple[Check, ...]
    policies: Policies
    explicit: bool

    @classmethod
    def parse(cls, configuration: object, *, defaults: Sequence[Check] = (), own_fields_allowed: bool = False) -> Plan:
        """Read a plan.

        Parameters
        ----------
        configuration
            `hookDetails` without this library's state.
        defaults
            The checks where the configuration names none.
        own_fields_allowed
            Whether fields that this library does not know belong to the user's own code. Fields that look like a
            misspelt field of the plan are refused all the same.

        Raises
        ------
        PlanError
            If anything is wrong. No value of the configuration is repeated in it: it could be a secret.
        """
        if not isinstance(configuration, Mapping):
            problem = f'must be a JSON object such as {{"checks": [...]}}, not {json_type(configuration)}'
            raise PlanError([f"hookDetails: {problem}"])
        fields = dict(configuration)
        problems: list[str] = []
        explicit = "checks" in fields
        checks = _parse_checks(fields.pop("checks"), problems) if explicit else tuple(defaults)
        if explicit and fields.get(REFERENCE) is not None:
            problems.append("hookDetails.checks: give one of checks and plan, which names where the checks are")
        if own_fields_allowed:
            fields = {name: value for name, value in fields.items() if _is_policy(name)}
        try:
            policies = Policies.model_validate(fields)
        except ValidationError as error:
            problems += described(error, "hookDetails", Policies, "checks")
        else:
            problems += _too_long(checks, policies)
        watched = sum(any(variant.watch for variant in check.variants) for check in checks)
        if watched > MAX_WATCHED:
            # Their measurements are kept in hookDetails, and none may get lost.
            problems.append(f"hookDetails.checks: {watched} checks with a watch are too many; at most {MAX_WATCHED}")
        if problems:
            raise PlanError(problems)
        return cls(checks, policies, explicit)


def _too_long(checks: Sequence[Check], policies: Policies) -> list[str]:
    limit = policies.timeout_minutes
    problems = [
        f"hookDetails.timeout_minutes: {limit:g} is not more than the {check.requirements().watch_seconds / 60:g} minutes for which "
        f"{check.label} watches"
        for check in (variant for each in checks for variant in each.variants)
        if check.requirements().watch_seconds >= limit * 60
    ]
    return list(dict.fromkeys(problems))


def _is_policy(name: str) -> bool:
    known = [*fields_at(Policies), "checks"]
    return name in known or bool(difflib.get_close_matches(name, known, n=1, cutoff=0.75))


def _parse_checks(value: object, problems: list[str]) -> tuple[Check, ...]:
    where = "hookDetails.checks"
    if not isinstance(value, list | tuple):
        problems.append(f"{where}: must be an array of checks, not {json_type(value)}")
        return ()
    if len(value) > MAX_CHECKS:
        problems.append(f"{where}: {len(value)} checks are too many; at most {MAX_CHECKS}")
        return ()
    checks: list[Check] = []
    for index, item in enumerate(value):
        check = _parse_check(item, f"{where}[{index}]", problems)
        if check is not None:
            checks.append(check)
    names = [check.name for check in checks if check.name]
    problems += [
        f"{where}: the name {name!r} is used more than once" for name in sorted(set(names)) if names.count(name) > 1
    ]
    return tuple(checks)


def _parse_check(item: object, where: str, problems: list[str]) -> Check | None:
    if not isinstance(item, Mapping):
        problems.append(f"{where}: must be an object with a type, not {json_type(item)}")
        return None
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in CHECKS:
        problem = "is missing" if kind is None else "is no known type of check"
        problems.append(f"{where}.type: {problem}{nearest(kind, CHECKS)}")
        return None
    model = check_class(kind)
    try:
        return model.model_validate(dict(item))
    except ValidationError as error:
        problems += described(error, where, model)
        return None
