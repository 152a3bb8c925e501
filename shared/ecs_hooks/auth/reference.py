"""A secret that a plan names and does not hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SECRETS_MANAGER = "secretsmanager:GetSecretValue"
SSM = "ssm:GetParameter"

_OF_LAMBDA = ("AWS_", "LAMBDA_", "_")
"""What the names of variables begin with that Lambda itself sets, the function's credentials among them."""


class Reference(BaseModel):
    """Where a secret is kept; it is read when a request first needs it, and kept for five minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    secretsmanager: (
        Annotated[
            str,
            Field(pattern=r"^(arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,519}$"),
        ]
        | None
    ) = None
    """Name or ARN of a secret in Secrets Manager. The function's role has to allow `secretsmanager:GetSecretValue` with
    it: see `SecretArns` of the stack."""
    key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """The key whose value it is, where the secret of Secrets Manager is a JSON object."""
    ssm: (
        Annotated[
            str,
            Field(pattern=r"^(arn:[a-z0-9-]+:ssm:[a-z0-9-]+:\d{12}:parameter)?[A-Za-z0-9_./-]{1,1011}(:[^{}\s]+)?$"),
        ]
        | None
    ) = None
    """Name or ARN of a parameter of Systems Manager, `NAME:VERSION` and `NAME:LABEL` too. The function's role has to allow
    `ssm:GetParameter` with it: see `ParameterArns` of the stack."""
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")] | None = None
    """Name of an environment variable of the function; none of those that Lambda sets."""

    @field_validator("env")
    @classmethod
    def _is_no_variable_of_lambda(cls, name: str | None) -> str | None:
        if name is not None and name.upper().startswith(_OF_LAMBDA):
            raise ValueError("is a variable that Lambda sets, the function's own credentials perhaps; name another")
        return name

    @model_validator(mode="after")
    def _is_one(self) -> Reference:
        if sum(each is not None for each in (self.secretsmanager, self.ssm, self.env)) != 1:
            raise ValueError("give one of secretsmanager, ssm and env")
        if self.key is not None and self.secretsmanager is None:
            raise ValueError("key: is for a secret of Secrets Manager")
        return self

    @property
    def action(self) -> str:
        """The IAM action that it takes to read it; empty where it takes none."""
        if self.secretsmanager is not None:
            return SECRETS_MANAGER
        return "" if self.ssm is None else SSM

    @property
    def name(self) -> str:
        """Its name or ARN."""
        return self.secretsmanager or self.ssm or self.env or ""
