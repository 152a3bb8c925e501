"""A plan that `hookDetails` names and does not hold: an object in S3, or a parameter of Systems Manager."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.auth.reference import SSM
from ecs_hooks.auth.store import READABLE, named
from ecs_hooks.aws.call import ask_page, reading
from ecs_hooks.aws.errors import FactError, fact_error
from ecs_hooks.core.json_types import json_type
from ecs_hooks.plan.model import REFERENCE, Plan, PlanError

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check

S3 = "s3:GetObject"

MAX_BYTES = 262_144
"""The largest plan; a parameter holds 8 KB at most."""

_DETAILS = "hookDetails"


class PlanReference(NamedTuple):
    """Where a plan is kept.

    Parameters
    ----------
    place
        As `hookDetails` names it, such as `s3://bucket/key` or `ssm:/name`.
    action
        The IAM action that it takes to read it.
    bucket
        The bucket; empty for a parameter.
    name
        The key of the object, or the name of the parameter.
    """

    place: str
    action: str
    bucket: str
    name: str

    @classmethod
    def of(cls, place: str) -> PlanReference:
        """Take apart what `hookDetails.plan` says, which is known to be valid."""
        scheme, _, rest = place.partition(":")
        bucket, _, key = rest.removeprefix("//").partition("/")
        return cls(place, S3, bucket, key) if scheme == "s3" else cls(place, SSM, "", rest)

    def fetch(self, region: str) -> Mapping[str, Any]:
        """Ask AWS for the plan, and return its fields.

        Raises
        ------
        FactError
            If AWS does not answer; `FactDeniedError` where asking again is of no use.
        PlanError
            If what is there is no JSON object, or too large.
        """
        try:
            text = self._object(region) if self.action == S3 else self._parameter(region)
        except FactError as error:
            parameter = "PlanArns" if self.action == S3 else "ParameterArns"
            raise named(error, self.place, READABLE.format(parameter)) from error
        try:
            fields = json.loads(text)
        except RecursionError:
            raise self._problem("is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise self._problem(f"is not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
        except UnicodeDecodeError:
            raise self._problem("is not JSON: it is no UTF-8 text") from None
        if not isinstance(fields, Mapping):
            raise self._problem(f'must be a JSON object such as {{"checks": [...]}}, not {json_type(fields)}')
        if REFERENCE in fields:
            raise self._problem(f"{REFERENCE}: a plan that is fetched can't name another one")
        return fields

    def _object(self, region: str) -> bytes:
        answer = ask_page(S3, region, Bucket=self.bucket, Key=self.name)
        with reading(S3):
            size, body = answer["ContentLength"], answer["Body"]
        with closing(body):
            if size > MAX_BYTES:
                raise self._problem(f"has {size} bytes; at most {MAX_BYTES}")
            try:
                content: bytes = body.read()
            except Exception as error:
                raise fact_error(S3, error) from error
        return content

    def _parameter(self, region: str) -> str:
        answer = ask_page(SSM, region, Name=self.name, WithDecryption=True)
        with reading(SSM):
            value: str = answer["Parameter"]["Value"]
        return value

    def _problem(self, text: str) -> PlanError:
        return PlanError([f"{self.place}: {text}"])


class Fetched(NamedTuple):
    """What configures a hook whose plan is kept elsewhere.

    Parameters
    ----------
    fields
        The fields of the plan, and those of `hookDetails`, which stand in for them.
    place
        Where the plan is kept.
    own
        The names of the fields of `hookDetails`.
    """

    fields: dict[str, Any]
    place: str
    own: frozenset[str]

    def plan(self, *, defaults: Sequence[Check] = (), own_fields_allowed: bool = False) -> Plan:
        """Return the plan; see `Plan.parse`.

        Raises
        ------
        PlanError
            If anything is wrong, here or there: each mistake begins with its place.
        """
        try:
            return Plan.parse(self.fields, defaults=defaults, own_fields_allowed=own_fields_allowed)
        except PlanError as error:
            raise PlanError([self._placed(problem) for problem in error.problems]) from None

    def _placed(self, problem: str) -> str:
        field = re.match(rf"{_DETAILS}\.(\w+)", problem)
        if field is not None and field.group(1) in self.own:
            return problem
        return f"{self.place}: {problem.removeprefix(_DETAILS).lstrip('.: ')}"


def reference_in(details: Mapping[str, Any], *, own_fields_allowed: bool = False) -> PlanReference | None:
    """Return where `hookDetails` says that the plan is kept; None where it holds the plan itself.

    Parameters
    ----------
    details
        `hookDetails` without this library's state.
    own_fields_allowed
        As of `Plan.parse`.

    Raises
    ------
    PlanError
        If anything in `hookDetails` itself is wrong, whatever the plan will be.
    """
    if details.get(REFERENCE) is None:
        return None
    return PlanReference.of(Plan.parse(details, own_fields_allowed=own_fields_allowed).policies.plan or "")


def fetched(reference: PlanReference, details: Mapping[str, Any], region: str) -> Fetched:
    """Fetch the plan that `hookDetails` names.

    Parameters
    ----------
    reference
        Where it is.
    details
        `hookDetails` without this library's state.
    region
        The region to ask.

    Raises
    ------
    FactError
        If AWS does not answer.
    PlanError
        If what is there is no JSON object, or too large.
    """
    own = {name: value for name, value in details.items() if name != REFERENCE}
    return Fetched({**reference.fetch(region), **own}, reference.place, frozenset(own))
