"""The plan: the checks of a hook, and its policies.

`hookDetails` is the only input of a service, so the plan is read from it. Every mistake is an error that names the field:
a gate that ignores half of its configuration is no gate.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, Field, ValidationError, field_validator

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.core.arn import FUNCTION, PARAMETER
from ecs_hooks.core.formatting import json_type, not_allowed, printable
from ecs_hooks.core.host import ascii_authority
from ecs_hooks.core.json_text import HugeNumber, JsonError, read_json
from ecs_hooks.core.outcome import CheckCodeError, ExplainedError, check_code
from ecs_hooks.core.own_limits import OwnLimitError, own_limit
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.state import MAX_WATCHED
from ecs_hooks.core.validation_errors import BEYOND_DOUBLE, Form, error_lines, fields_at

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.core.arn import EcsArn

MAX_CHECKS = 200
"""More fit neither into one invocation nor into the state between two."""

_MAX_DEPTH = 100
"""Levels of objects and arrays in a check; pydantic serializes at most 255."""

REFERENCE = "plan"
"""The field with the location of a stored plan."""

_LOCATION = rf"^(s3://[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]/.+|ssm:{PARAMETER})$"
_MAX_KEY_BYTES = 1024
_NO_BUCKET = r"^s3://(xn--|sthree-|[^/]*\.\.|[^/]*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)/|(\d+\.){3}\d+/)"
"""Names that S3 does not allow for buckets."""


_SERVICE = r"^(arn:[a-z0-9-]+:ecs:[a-z0-9-]+:[0-9]{12}:service/)?([A-Za-z0-9_-]{1,255}/)?[A-Za-z0-9_-]{1,255}$"


class Mode(StrEnum):
    """Whether the verdict counts."""

    ENFORCE = "enforce"
    """Answer with the verdict."""
    OBSERVE = "observe"
    """Always answer SUCCEEDED, and report the verdict in the reason."""


class FirstDeployment(StrEnum):
    """The policy for the first deployment of a service, which has nothing to roll back to."""

    RUN = "run"
    """Check it like any other."""
    SKIP = "skip"
    """Answer SUCCEEDED unchecked, so that a hook cannot prevent a service from starting."""


class PlanError(ExplainedError, ValueError):
    """The plan has mistakes.

    Parameters
    ----------
    problems
        One line for each mistake, beginning with the field.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        # A field's name may be any text, and a terminal may show it.
        self.problems = tuple(printable(problem) for problem in problems)
        super().__init__("; ".join(self.problems))


class Policies(PlanModel):
    """Everything in a plan but its checks."""

    base_url: (
        Annotated[
            str,
            Field(pattern=r"^https?://[^/?#\s]+[^?#\s]*$", max_length=2000),
            Form("http://HOST/PATH, without ? and #"),
        ]
        | None
    ) = None
    """The address of green, such as `http://test-alb.example.com:8080`. Default: `APP_URL` of the function, or else the
    address of the service's test listener."""
    host: (
        Annotated[
            str,
            Field(pattern=r"^[^\x00-,/:-@\[-\^`{-\x7f]+(:[0-9]+)?$", max_length=255),
            AfterValidator(ascii_authority),
            Form("HOST or HOST:PORT"),
        ]
        | None
    ) = None
    """`Host` of every request, and the name that a certificate must be valid for; a name that is not ASCII is sent as
    punycode. Default: as the listener rule requires."""
    service_connect: bool = False
    """Whether every request has the header that Service Connect routes test traffic by. For a `base_url` of a service in
    front that passes the header on."""
    timeout_minutes: Annotated[float, Field(gt=0, le=1440)] = 30
    """Minutes after which an undecided hook answers FAILED. Keep it below `timeoutInMinutes` of the ECS hook."""
    error_limit: Annotated[int, Field(ge=1, le=1000)] = 5
    """Number of times in a row that a check may end with an error (no connection, AWS throttles) before that is a failure."""
    mode: Mode = Mode.ENFORCE
    """`enforce`, or `observe` to answer SUCCEEDED whatever happens, and log the verdict."""
    first_deployment: FirstDeployment = FirstDeployment.RUN
    """`run` the checks on a service's first deployment too, or `skip` them."""
    service: (
        Annotated[str, Field(pattern=_SERVICE, max_length=1000), Form("NAME, CLUSTER/NAME, or the ARN of a service")]
        | None
    ) = None
    """The service that the plan is for: `NAME`, `CLUSTER/NAME` or its ARN. The plan fails for any other. Default: any service."""
    plan: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": _LOCATION})] | None = None
    """Location of a stored plan in JSON: `s3://BUCKET/KEY` or `ssm:NAME`. Fields beside it override those of the plan."""

    @field_validator(REFERENCE)
    @classmethod
    def _is_location(cls, location: str | None) -> str | None:
        if location is not None and not re.fullmatch(_LOCATION, location):
            raise ValueError("must have the form s3://BUCKET/KEY or ssm:NAME, for example ssm:/my-service/plan")
        if location is not None and re.match(_NO_BUCKET, location):
            raise ValueError("must have the name of a bucket, in a form that S3 allows")
        if location is not None and len(location.removeprefix("s3://").partition("/")[2].encode()) > _MAX_KEY_BYTES:
            raise ValueError(f"must have a key of at most {_MAX_KEY_BYTES} bytes")
        return location


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
    def parse(
        cls,
        configuration: object,
        *,
        defaults: Sequence[Check] = (),
        own_fields_allowed: bool = False,
        deployed: EcsArn | None = None,
    ) -> Plan:
        """Read a plan.

        Parameters
        ----------
        configuration
            `hookDetails` without this library's state.
        defaults
            The checks where the configuration names none.
        own_fields_allowed
            Whether unknown fields belong to the user's own code. Fields that look like a misspelt field of the plan are
            refused all the same.
        deployed
            The service or function that is deployed, which the plan must be for; None where it is unknown.

        Raises
        ------
        PlanError
            If it has mistakes. No string of the configuration is repeated in it: it could be a secret.
        OwnLimitError
            If the process can't load a check.
        """
        try:
            return cls._parse(configuration, defaults, deployed, own_fields_allowed=own_fields_allowed)
        except CheckCodeError as error:
            limit = own_limit(error)
            if limit:  # the modules of a check could not be loaded: no mistake of the plan
                raise OwnLimitError(limit) from error.__cause__
            raise PlanError([str(error)]) from error.__cause__

    @classmethod
    def _parse(
        cls, configuration: object, defaults: Sequence[Check], deployed: EcsArn | None, *, own_fields_allowed: bool
    ) -> Plan:
        if not isinstance(configuration, Mapping):
            problem = f'must be a JSON object such as {{"checks": [...]}}, not {json_type(configuration)}'
            if isinstance(configuration, str):
                problem += _json_problem(configuration)
            raise PlanError([f"hookDetails: {problem}"])
        fields = dict(configuration)
        problems: list[str] = []
        explicit = "checks" in fields
        checks = _parse_checks(fields.pop("checks"), problems) if explicit else tuple(defaults)
        if explicit and fields.get(REFERENCE) is not None:
            problems.append(
                "hookDetails.checks: conflicts with plan, which is the location of the checks; give one of the two"
            )
        if own_fields_allowed:
            fields = {name: value for name, value in fields.items() if _is_policy(name)}
        try:
            policies = Policies.model_validate(fields)
        except ValidationError as error:
            problems += error_lines(error, "hookDetails", Policies, "checks")
        else:
            problems += _too_long(checks, policies)
            problems += _other_service(policies, deployed)
        watched = sum(any(variant.watch for variant in _variants(check)) for check in checks)
        if watched > MAX_WATCHED:
            # Their measurements are part of the state, and none may get lost.
            problems.append(f"hookDetails.checks: must have at most {MAX_WATCHED} checks with a watch, not {watched}")
        if problems:
            raise PlanError(problems)
        return cls(checks, policies, explicit)


def _json_problem(text: str) -> str:
    """Return why a string is not a JSON object, after the rest of a message; empty if it is other JSON."""
    try:
        read_json(text, strict=True)
    except JsonError as error:
        return f"; the string {error}"
    return ""


def _other_service(policies: Policies, deployed: EcsArn | None) -> list[str]:
    planned = policies.service
    if planned is None or deployed is None or deployed.is_named(planned):
        return []
    found = f"Lambda function {deployed.service}" if deployed.kind == FUNCTION else f"service {deployed}"
    return [f"hookDetails.service: the plan is for service {planned}, but this is a deployment of {found}"]


def _too_long(checks: Sequence[Check], policies: Policies) -> list[str]:
    limit = policies.timeout_minutes
    problems: dict[str, None] = {}
    for check in (variant for each in checks for variant in _variants(each)):
        with check_code(f"{type(check).__name__}.requirements()"):
            seconds = check.requirements().watch_seconds
            is_too_long = seconds >= limit * 60
        if is_too_long:
            with check_code(f"{type(check).__name__}.label"):
                problem = (
                    f"must be greater than {seconds / 60:g}, the minutes for which {check.label} watches, not {limit:g}"
                )
            problems[f"hookDetails.timeout_minutes: {problem}"] = None
    return list(problems)


def _variants(check: Check) -> Sequence[Check]:
    with check_code(f"{type(check).__name__}.variants"):
        return check.variants


def _is_policy(name: str) -> bool:
    import difflib  # noqa: PLC0415 - only for plans with mistakes

    known = [*fields_at(Policies), "checks"]
    return name in known or bool(difflib.get_close_matches(name, known, n=1, cutoff=0.75))


def _parse_checks(value: object, problems: list[str]) -> tuple[Check, ...]:
    where = "hookDetails.checks"
    if not isinstance(value, list | tuple):
        problems.append(f"{where}: must be an array of checks, not {json_type(value)}")
        return ()
    if len(value) > MAX_CHECKS:
        problems.append(f"{where}: must have at most {MAX_CHECKS} checks, not {len(value)}")
        return ()
    checks: list[Check] = []
    for index, item in enumerate(value):
        check = _parse_check(item, f"{where}[{index}]", problems)
        if check is not None:
            checks.append(check)
    names = [check.name for check in checks if check.name]
    problems += [
        f"{where}: two checks have the name {name!r}; names must be unique"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    return tuple(checks)


def _parse_check(item: object, where: str, problems: list[str]) -> Check | None:
    if not isinstance(item, Mapping):
        problems.append(f"{where}: must be an object with a type, not {json_type(item)}")
        return None
    invalid = list(_not_json(item, where))
    if invalid:
        problems += invalid
        return None
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in CHECKS:
        problem = f"is required; one of {', '.join(CHECKS)}" if kind is None else not_allowed(kind, list(CHECKS))
        problems.append(f"{where}.type: {problem}")
        return None
    with check_code(f"loading {CHECKS[kind]}"):
        model = check_class(kind)
    with check_code(f"validating {model.__name__}"):
        try:
            return model.model_validate(dict(item))
        except ValidationError as error:
            problems += error_lines(error, where, model)
            return None


def _not_json(value: object, where: str) -> Iterator[str]:
    """Yield the places of a value that JSON cannot hold; Python's reader, which reads the event, accepts them."""
    level = [(value, where)]
    for _ in range(_MAX_DEPTH):
        inner: list[tuple[object, str]] = []
        for each, place in level:
            match each:
                case Mapping():
                    inner += [(name, f"{place} (the name of a field)") for name in each]
                    inner += [(found, f"{place}.{name}") for name, found in each.items()]
                case list() | tuple():
                    inner += [(found, f"{place}[{number}]") for number, found in enumerate(each)]
                case str() if not _is_unicode(each):
                    yield f"{place}: must not contain half of a surrogate pair"
                case HugeNumber():
                    yield f"{place}: must not be {BEYOND_DOUBLE}"
                case float() if not math.isfinite(each):
                    yield f"{place}: must be a finite number"
                case int() if abs(each) > sys.float_info.max:
                    yield f"{place}: must not be {BEYOND_DOUBLE}"
        level = inner
        if not level:
            return
    yield f"{where}: must have at most {_MAX_DEPTH} levels of objects and arrays"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
