"""How a request authenticates, as a plan writes it."""

from __future__ import annotations

import base64
import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.auth.reference import Reference
from ecs_hooks.auth.secret import Secret
from ecs_hooks.aws.clients import credentials
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.request import Authorization, check_headers
from ecs_hooks.http.tls import ClientCertificate
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_resolver import Keyring

_ROLE_ARN = r"^arn:[a-z0-9-]+:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$"


class Basic(BaseModel):
    """A user name and a password (RFC 7617)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    username: Secret
    """Name of the user, without a colon."""
    password: Secret
    """The password."""

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return them as a header."""
        username, password = keyring.read(self.username), keyring.open(self.password)
        if ":" in username:
            raise RequestError("auth.basic.username must not have a colon")
        return _header(
            keyring, "Authorization", f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
        )


class Bearer(BaseModel):
    """A token (RFC 6750)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    token: Secret
    """The token."""

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return it as a header."""
        return _header(keyring, "Authorization", f"Bearer {keyring.open(self.token)}")


class ApiKey(BaseModel):
    """A key in a header, or in a parameter of the address."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    header: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the header, such as `X-Api-Key`; or"""
    query: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """name of the parameter."""
    value: Secret
    """The key."""

    @field_validator("header")
    @classmethod
    def _is_name(cls, name: str | None) -> str | None:
        check_headers({} if name is None else {name: ""})
        return name

    @model_validator(mode="after")
    def _has_one_place(self) -> ApiKey:
        if (self.header is None) == (self.query is None):
            raise ValueError("give one of header and query")
        return self

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return it as a header or a parameter."""
        value = keyring.open(self.value)
        if self.query is not None:
            return Authorization(query={self.query: value})
        return Authorization({self.header or "": value})


class OAuth2(BaseModel):
    """A token that is asked for with the credentials of a client (RFC 6749, section 4.4), and used until it expires."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    token_url: Annotated[str, Field(max_length=2000)]
    """Address of the token endpoint."""
    client_id: Secret
    """Id of the client."""
    client_secret: Secret
    """Its secret."""
    scope: Annotated[str, Field(max_length=2000)] | None = None
    """What the token is to be good for, separated by spaces."""
    audience: Annotated[str, Field(max_length=2000)] | None = None
    """Whom it is for, where the authorization server wants to know."""
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"  # noqa: S105
    """How the client proves itself to the token endpoint: in the `Authorization` header, or in the form."""

    @field_validator("token_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if "{{" in value:
            raise ValueError("must not have variables: a response could lead the client's credentials elsewhere")
        if Url.parse(value).userinfo:
            raise ValueError("must not hold credentials; client_id and client_secret are these")
        return value

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return what adds a token that is good now; the first one is asked for at once."""
        from ecs_hooks.auth.oauth2 import Client, Tokens  # noqa: PLC0415 - loaded where a plan has it

        client = Client(
            self.token_url,
            keyring.read(self.client_id),
            keyring.open(self.client_secret),
            self.scope,
            self.audience,
            in_form=self.token_endpoint_auth_method == "client_secret_post",  # noqa: S105 - a method
        )
        tokens = Tokens(client, keyring)
        tokens.token()
        return Authorization(sign=tokens.authorize)


class SigV4(BaseModel):
    """A signature with the credentials of a role (AWS Signature Version 4)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    service: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    """The service as signatures name it: `execute-api` (API Gateway), `lambda` (function URLs), `vpc-lattice-svcs`, ..."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] | None = None
    """Its region. Default: that of the deployment."""
    role_arn: Annotated[str, Field(pattern=_ROLE_ARN)] | None = None
    """ARN of a role to assume for it, in this account or another; its trust policy has to name the function's role, and that
    has to allow `sts:AssumeRole` with it: see `AssumedRoleArns` of the stack. Default: the function's role."""

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return what signs requests; a role is assumed at once."""
        from ecs_hooks.auth.sigv4 import Signer  # noqa: PLC0415 - loaded where a plan has it

        find_keys = credentials
        if self.role_arn is not None:
            from ecs_hooks.auth.role import assumed  # noqa: PLC0415 - as above

            find_keys = partial(assumed, self.role_arn, keyring.find_region())
            find_keys()
        signer = Signer(self.service, self.region or keyring.find_region(), find_keys, keyring.redactor)
        return Authorization(sign=signer.sign)


class MutualTls(BaseModel):
    """A client certificate, which the server asks for in the TLS handshake."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    certificate: Secret
    """PEM of the certificate, and of those between it and the authority."""
    private_key: Secret
    """PEM of its key, without a passphrase."""

    @field_validator("certificate", "private_key")
    @classmethod
    def _is_pem(cls, value: str | Reference) -> str | Reference:
        if isinstance(value, str) and not re.match(r"\s*-----BEGIN ", value):
            raise ValueError("must be PEM, which begins with -----BEGIN")
        return value

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return it as a certificate of connections."""
        return Authorization(
            certificate=ClientCertificate(keyring.read(self.certificate), keyring.open(self.private_key))
        )


class Auth(BaseModel):
    """How a request authenticates: exactly one of these.

    A secret is a text, or `{"secretsmanager": NAME}`, `{"ssm": NAME}` or `{"env": NAME}`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    basic: Basic | None = None
    """User name and password."""
    bearer: Bearer | None = None
    """A token."""
    api_key: ApiKey | None = None
    """A key in a header or parameter."""
    oauth2: OAuth2 | None = None
    """A token by the client credentials grant."""
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
        """Name of the header that it sets, in lower case; empty where it sets none."""
        if self.api_key is not None:
            return (self.api_key.header or "").lower()
        return "" if self.mutual_tls is not None else "authorization"

    @property
    def secrets(self) -> list[Reference]:
        """The secrets in it that are given by reference."""
        return [value for each in self._given for _, value in each if isinstance(value, Reference)]

    @property
    def token_url(self) -> str | None:
        """The address that is asked for a token; None where none is."""
        return None if self.oauth2 is None else self.oauth2.token_url

    def authorization(self, keyring: Keyring) -> Authorization:
        """Return the credentials of a request.

        Parameters
        ----------
        keyring
            What opens the secrets in it.

        Raises
        ------
        ExplainedError
            If they can't be had.
        """
        return self._given[0].authorization(keyring)


def _header(keyring: Keyring, name: str, value: str) -> Authorization:
    # The redactor takes apart what a header of this name may hold.
    keyring.redactor.add_header(name, value)
    return Authorization({name: value})
