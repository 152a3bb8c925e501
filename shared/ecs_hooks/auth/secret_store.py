"""Secrets by reference, in Secrets Manager, Parameter Store or the environment: read on first use, then cached."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.core.arn import PARAMETER, region_of
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import FieldError, Form

SECRETS_MANAGER = "secretsmanager:GetSecretValue"
SSM = "ssm:GetParameter"

SECONDS = 300
"""How long a secret is cached: not read for each request, but read again after a rotation."""

_PARAMETERS = {SECRETS_MANAGER: "SecretArns", SSM: "ParameterArns"}
"""By action, the parameter of the stack that allows it."""
PERMISSION_HINT = "as {} of the stack does, and KeyArns for a key of its own"
"""The fix for a missing permission, with the name of that parameter."""

_RESERVED = ("AWS_", "LAMBDA_", "_")
"""Prefixes of the environment variables that Lambda sets, the function's credentials among them."""

cached_secrets: Cache[tuple[str | None, str, str, str], str] = Cache()
"""Values of secrets, by AWS endpoint, region, action and name."""


class Reference(PlanModel):
    """The place of a secret; it is read when a request first needs it, and cached for five minutes."""

    secretsmanager: (
        Annotated[
            str,
            Field(pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,519}$"),
            Form("NAME or arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"),
        ]
        | None
    ) = None
    """Name or ARN of a secret in Secrets Manager. Requires `secretsmanager:GetSecretValue` in the function's role, which
    `SecretArns` of the stack allows."""
    key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """The key of the value, if the secret in Secrets Manager is a JSON object."""
    ssm: (
        Annotated[
            str,
            Field(pattern=rf"^{PARAMETER}$"),
            Form("NAME, /PATH/NAME, NAME:VERSION, NAME:LABEL or arn:aws:ssm:REGION:ACCOUNT:parameter/NAME"),
        ]
        | None
    ) = None
    """Name or ARN of a parameter in Parameter Store, also as `NAME:VERSION` or `NAME:LABEL`. Requires `ssm:GetParameter` in
    the function's role, which `ParameterArns` of the stack allows."""
    env: (
        Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$"), Form("NAME: letters, digits and _")] | None
    ) = None
    """Name of an environment variable of the function, but none that Lambda sets."""

    @field_validator("env")
    @classmethod
    def _is_not_reserved(cls, name: str | None) -> str | None:
        if name is not None and name.upper().startswith(_RESERVED):
            raise ValueError("is reserved by Lambda, such as for the function's own credentials; use another variable")
        return name

    @model_validator(mode="after")
    def _is_one(self) -> Reference:
        if sum(each is not None for each in (self.secretsmanager, self.ssm, self.env)) != 1:
            raise ValueError("give one of secretsmanager, ssm and env")
        if self.key is not None and self.secretsmanager is None:
            raise FieldError("key: only allowed with secretsmanager")
        return self

    @property
    def action(self) -> str:
        """The IAM action that reads it; empty for an environment variable."""
        if self.secretsmanager is not None:
            return SECRETS_MANAGER
        return "" if self.ssm is None else SSM

    @property
    def name(self) -> str:
        """Its name or ARN."""
        return self.secretsmanager or self.ssm or self.env or ""

    @property
    def needs_region(self) -> bool:
        """Whether it is read in the region of the deployment."""
        return self.env is None and not self.name.startswith("arn:")


def read_secret(reference: Reference, find_region: Callable[[], str]) -> str:
    """Return a secret; names without a region are looked up in that of `find_region`.

    Raises
    ------
    FactError
        If it cannot be read; `FactDeniedError` if a retry cannot help. The message has its name, never its value.
    """
    name = reference.name
    if reference.env is not None:
        value = os.environ.get(name, "")
        if not value:
            raise FactDeniedError(f"environment variable {name} of the function: not set or empty")
        return value
    region = region_of(name) if name.startswith("arn:") else find_region()
    key = (os.environ.get("AWS_ENDPOINT_URL"), region, reference.action, name)
    value = cached_secrets.get(key, lambda: Kept(_read(reference.action, name, region), SECONDS))
    return value if reference.key is None else _value_at(value, reference.key, name)


def _read(action: str, name: str, region: str) -> str:
    # Imported here: a plan whose secrets are environment variables does not load AWS calls.
    from ecs_hooks.aws.call import call_aws, parsing  # noqa: PLC0415

    try:
        if action == SSM:
            response = call_aws(action, region, Name=name, WithDecryption=True)
            with parsing(action):
                value = response["Parameter"]["Value"]
        else:
            response = call_aws(action, region, SecretId=name)
            if "SecretBinary" in response:
                raise FactDeniedError(f"{action}: the secret is binary; store it as text", action=action)
            with parsing(action):
                value = response["SecretString"]
    except FactError as error:
        raise with_resource(error, name, PERMISSION_HINT.format(_PARAMETERS[action])) from error
    if not value:
        raise FactError(f"{action}: invalid response ({name})", action=action)
    return str(value)


def with_resource(error: FactError, name: str, hint: str) -> FactError:
    """Return an error with the name of the resource, and with a hint if the permission is missing."""
    return type(error)(
        f"{error}{f', {hint}' if error.access_denied else ''} ({name})", action=error.action, code=error.code
    )


def _value_at(text: str, key: str, name: str) -> str:
    try:
        secret = read_json(text)
    except JsonError:
        secret = None
    if not isinstance(secret, dict):
        raise FactDeniedError(f"{SECRETS_MANAGER}: the secret is not a JSON object, so it has no key {key!r} ({name})")
    value = secret.get(key)
    if not isinstance(value, str) or not value:
        problem = f"the value of key {key!r} is not a text, or is empty" if key in secret else f"no key {key!r}"
        raise FactDeniedError(f"{SECRETS_MANAGER}: {problem} ({name})")
    return value
