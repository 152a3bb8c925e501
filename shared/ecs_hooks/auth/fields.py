"""The ways in which a request authenticates, as a plan configures them."""

from __future__ import annotations

import base64
import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ecs_hooks.auth.secret_resolver import Secret
from ecs_hooks.auth.secret_store import Reference
from ecs_hooks.aws.clients import credentials
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import Form
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.request import Authorization, check_headers
from ecs_hooks.http.tls import ClientCertificate
from ecs_hooks.http.url import Url, encoded

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_resolver import SecretResolver

_ROLE_ARN = r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$"


class Basic(PlanModel):
    """A user name and a password (RFC 7617)."""

    username: Secret
    """The user name, without a colon."""
    password: Secret
    """The password."""

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return the `Authorization` header."""
        username, password = resolver.resolve_text(self.username), resolver.resolve(self.password)
        if ":" in username:
            raise RequestError("auth.basic.username: must not contain a colon")
        pair = base64.b64encode(encoded(f"{username}:{password}", "auth.basic")).decode()
        return _header(resolver, f"Basic {pair}")


class Bearer(PlanModel):
    """A bearer token (RFC 6750)."""

    token: Secret
    """The token."""

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return the `Authorization` header."""
        return _header(resolver, f"Bearer {resolver.resolve(self.token)}")


class ApiKey(PlanModel):
    """A key in a header or in a query parameter."""

    header: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the header, such as `X-Api-Key`."""
    query: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the query parameter."""
    value: Secret
    """The key."""

    @field_validator("header")
    @classmethod
    def _is_header_name(cls, name: str | None) -> str | None:
        check_headers({} if name is None else {name: ""})
        return name

    @model_validator(mode="after")
    def _has_one_place(self) -> ApiKey:
        if (self.header is None) == (self.query is None):
            raise ValueError("give one of header and query")
        return self

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return the header or the query parameter."""
        value = resolver.resolve(self.value)
        if self.query is not None:
            return Authorization(query={self.query: value})
        return Authorization({self.header or "": value})


class OAuth2(PlanModel):
    """An access token by the client credentials grant (RFC 6749, section 4.4), used until it expires."""

    token_url: Annotated[str, Field(max_length=2000)]
    """URL of the token endpoint."""
    client_id: Secret
    """ID of the client."""
    client_secret: Secret
    """Secret of the client."""
    scope: Annotated[str, Field(max_length=2000)] | None = None
    """Scopes of the token, separated by spaces."""
    audience: Annotated[str, Field(max_length=2000)] | None = None
    """Audience of the token, if the authorization server requires one."""
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"  # noqa: S105
    """Where the client's credentials are sent: in the `Authorization` header, or in the form."""

    @field_validator("token_url")
    @classmethod
    def _is_safe_url(cls, value: str) -> str:
        if "{{" in value:
            raise ValueError(
                "must not contain variables, since a response could then redirect the client's credentials"
            )
        if Url.parse(value).userinfo:
            raise ValueError("must not contain credentials; use client_id and client_secret")
        return value

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return a hook that adds a valid token to each request; the first token is requested now."""
        from ecs_hooks.auth.oauth2 import Client, Tokens  # noqa: PLC0415 - loaded only for plans that use it

        client = Client(
            self.token_url,
            resolver.resolve_text(self.client_id),
            resolver.resolve(self.client_secret),
            self.scope,
            self.audience,
            in_form=self.token_endpoint_auth_method == "client_secret_post",  # noqa: S105 - a method
        )
        tokens = Tokens(client, resolver)
        tokens.token()
        return Authorization(sign=tokens.authorize)


class SigV4(PlanModel):
    """AWS Signature Version 4, with the credentials of a role."""

    service: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$"), Form("execute-api: small letters, digits and -")]
    """The service in the signature: `execute-api` (API Gateway), `lambda` (function URLs), `vpc-lattice-svcs`, ..."""
    region: (
        Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$"), Form("us-west-2: small letters, digits and -")] | None
    ) = None
    """Region of the service. Default: that of the deployment."""
    role_arn: Annotated[str, Field(pattern=_ROLE_ARN), Form("arn:aws:iam::ACCOUNT:role/NAME")] | None = None
    """ARN of a role to assume, in any account. Its trust policy must name the function's role, which requires
    `sts:AssumeRole`: `AssumedRoleArns` of the stack allows it. Default: the function's role."""

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return a hook that signs each request; a role is assumed now."""
        from ecs_hooks.auth.sigv4 import Signer, assume_role  # noqa: PLC0415 - loaded only for plans that use it

        find_keys = credentials
        if self.role_arn is not None:
            find_keys = partial(assume_role, self.role_arn, resolver.find_region())
            find_keys()
        signer = Signer(self.service, self.region or resolver.find_region(), find_keys, resolver.redactor)
        return Authorization(sign=signer.sign)


class MutualTls(PlanModel):
    """A client certificate, for mutual TLS."""

    certificate: Secret
    """PEM of the certificate, followed by intermediate certificates."""
    private_key: Secret
    """PEM of its private key, without a passphrase."""

    @field_validator("certificate", "private_key")
    @classmethod
    def _is_pem(cls, value: str | Reference) -> str | Reference:
        if isinstance(value, str) and not re.match(r"\s*-----BEGIN ", value):
            raise ValueError("must be PEM, which begins with -----BEGIN")
        return value

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return the client certificate."""
        return Authorization(
            certificate=ClientCertificate(resolver.resolve_text(self.certificate), resolver.resolve(self.private_key))
        )


class Auth(PlanModel):
    """How a request authenticates: exactly one of these.

    A secret is a text, or `{"secretsmanager": NAME}`, `{"ssm": NAME}` or `{"env": NAME}`.
    """

    basic: Basic | None = None
    """User name and password."""
    bearer: Bearer | None = None
    """A bearer token."""
    api_key: ApiKey | None = None
    """A key in a header or query parameter."""
    oauth2: OAuth2 | None = None
    """An access token by the client credentials grant."""
    sigv4: SigV4 | None = None
    """AWS Signature Version 4."""
    mutual_tls: MutualTls | None = None
    """A client certificate."""

    @model_validator(mode="after")
    def _is_one(self) -> Auth:
        if len(self._given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def _given(self) -> list[Basic | Bearer | ApiKey | OAuth2 | SigV4 | MutualTls]:
        return [each for _, each in self if each is not None]

    @property
    def header(self) -> str:
        """Name of the header that it sets, in lower case; empty if it sets none."""
        if self.api_key is not None:
            return (self.api_key.header or "").lower()
        return "" if self.mutual_tls is not None else "authorization"

    @property
    def secrets(self) -> list[Reference]:
        """Its secrets by reference."""
        return [value for each in self._given for _, value in each if isinstance(value, Reference)]

    @property
    def token_url(self) -> str | None:
        """URL of the token endpoint; None without `oauth2`."""
        return None if self.oauth2 is None else self.oauth2.token_url

    def authorization(self, resolver: SecretResolver) -> Authorization:
        """Return the credentials of a request; raise `ExplainedError` if a secret, a token or a role is not available."""
        return self._given[0].authorization(resolver)


def _header(resolver: SecretResolver, value: str) -> Authorization:
    resolver.redactor.add_header("Authorization", value)
    return Authorization({"Authorization": value})
