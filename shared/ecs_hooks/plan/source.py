"""A stored plan, whose location `hookDetails` has: an object in S3, or a parameter of Systems Manager."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.auth.secret_store import PERMISSION_HINT, SSM, with_resource
from ecs_hooks.aws.call import call_aws, parsing
from ecs_hooks.aws.errors import FactError, aws_error
from ecs_hooks.core.arn import region_of
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.formatting import json_type
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.plan.model import REFERENCE, Plan, PlanError

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.core.arn import EcsArn

S3 = "s3:GetObject"

MAX_BYTES = 262_144
"""The largest plan; a parameter holds 8 KB at most."""

_DETAILS = "hookDetails"
_DECODING_SECONDS = 5.0


class PlanReference(NamedTuple):
    """The location of a stored plan.

    Parameters
    ----------
    location
        As in `hookDetails`, such as `s3://bucket/key` or `ssm:/name`.
    action
        The IAM action that reads it.
    bucket
        The bucket; empty for a parameter.
    name
        The key of the object, or the name of the parameter.
    """

    location: str
    action: str
    bucket: str
    name: str

    @classmethod
    def of(cls, location: str) -> PlanReference:
        """Parse a valid `hookDetails.plan`."""
        scheme, _, rest = location.partition(":")
        bucket, _, key = rest.removeprefix("//").partition("/")
        return cls(location, S3, bucket, key) if scheme == "s3" else cls(location, SSM, "", rest)

    def fetch(self, region: str) -> Mapping[str, Any]:
        """Read the plan, and return its fields.

        Raises
        ------
        FactError
            If AWS does not answer; `FactDeniedError` where a retry is of no use.
        PlanError
            If it is not a JSON object, or too large.
        """
        try:
            text = self._object(region) if self.action == S3 else self._parameter(region)
        except FactError as error:
            parameter = "PlanArns" if self.action == S3 else "ParameterArns"
            raise with_resource(error, self.location, PERMISSION_HINT.format(parameter)) from error
        try:
            fields = read_json(text, strict=True)
        except JsonError as error:
            raise self._problem(str(error)) from None
        if not isinstance(fields, Mapping):
            raise self._problem(f'must be a JSON object such as {{"checks": [...]}}, not {json_type(fields)}')
        if REFERENCE in fields:
            raise self._problem(
                f"{REFERENCE}: a stored plan cannot have the location of another plan; remove the field"
            )
        return fields

    def _object(self, region: str) -> bytes:
        answer = call_aws(S3, region, Bucket=self.bucket, Key=self.name)
        with parsing(S3):
            size, body = answer["ContentLength"], answer["Body"]
        with closing(body):
            if size > MAX_BYTES:
                raise self._problem(f"must have at most {MAX_BYTES} bytes, not {size}")
            try:
                content: bytes = body.read()
            except Exception as error:
                raise aws_error(S3, error) from error
        encodings = answer.get("ContentEncoding")
        return self._decoded(content, encodings) if encodings else content

    def _decoded(self, content: bytes, encodings: str) -> bytes:
        """Return the object without its compression, as it was stored with a `Content-Encoding`."""
        from ecs_hooks.http.content_encoding import decoded  # noqa: PLC0415 - few plans are compressed
        from ecs_hooks.http.errors import ProtocolError  # noqa: PLC0415

        deadline = Deadline.after(_DECODING_SECONDS)
        text = b""

        def check() -> None:
            if deadline.expired:
                raise self._problem(f"is not decoded within {_DECODING_SECONDS:g} s")

        try:
            for piece in decoded([content], encodings, check):
                text += piece
                if len(text) > MAX_BYTES:
                    raise self._problem(f"must have at most {MAX_BYTES} bytes after decoding")
        except ProtocolError as error:
            raise self._problem(error.message.removeprefix("response body ")) from None
        return text

    def _parameter(self, region: str) -> str:
        region = region_of(self.name) if self.name.startswith("arn:") else region
        answer = call_aws(SSM, region, Name=self.name, WithDecryption=True)
        with parsing(SSM):
            value: str = answer["Parameter"]["Value"]
        return value

    def _problem(self, text: str) -> PlanError:
        return PlanError([f"{self.location}: {text}"])


class Fetched(NamedTuple):
    """The configuration of a hook with a stored plan.

    Parameters
    ----------
    fields
        The fields of the plan, overridden by those of `hookDetails`.
    location
        The location of the plan.
    own
        The names of the fields of `hookDetails`.
    """

    fields: dict[str, Any]
    location: str
    own: frozenset[str]

    def plan(
        self, *, defaults: Sequence[Check] = (), own_fields_allowed: bool = False, deployed: EcsArn | None = None
    ) -> Plan:
        """Return the plan; see `Plan.parse`.

        Raises
        ------
        PlanError
            If `hookDetails` or the stored plan has mistakes; each begins with its location.
        """
        try:
            return Plan.parse(self.fields, defaults=defaults, own_fields_allowed=own_fields_allowed, deployed=deployed)
        except PlanError as error:
            raise PlanError([self._located(problem) for problem in error.problems]) from error.__cause__

    def _located(self, problem: str) -> str:
        field = re.match(rf"{_DETAILS}\.(\w+)", problem)
        if field is not None and field.group(1) in self.own:
            return problem
        return f"{self.location}: {problem.removeprefix(_DETAILS).lstrip('.: ')}"


def reference_in(details: Mapping[str, Any], *, own_fields_allowed: bool = False) -> PlanReference | None:
    """Return the location of the plan in `hookDetails`; None where `hookDetails` is the plan itself.

    Parameters
    ----------
    details
        `hookDetails` without this library's state.
    own_fields_allowed
        As of `Plan.parse`.

    Raises
    ------
    PlanError
        If `hookDetails` itself has mistakes.
    """
    if details.get(REFERENCE) is None:
        return None
    return PlanReference.of(Plan.parse(details, own_fields_allowed=own_fields_allowed).policies.plan or "")


def fetched(reference: PlanReference, details: Mapping[str, Any], region: str) -> Fetched:
    """Fetch the plan whose location `hookDetails` has.

    Parameters
    ----------
    reference
        Its location.
    details
        `hookDetails` without this library's state.
    region
        The region of the bucket or parameter.

    Raises
    ------
    FactError
        If AWS does not answer.
    PlanError
        If it is not a JSON object, or too large.
    """
    own = {name: value for name, value in details.items() if name != REFERENCE}
    return Fetched({**reference.fetch(region), **own}, reference.location, frozenset(own))
