"""What an exchange with green may cost, and what the other side of its connection must be like, as a plan writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.auth.secret import TextOrReference
from ecs_hooks.http.limits import Limits, MinVersion
from ecs_hooks.http.tls import authorities_problem

if TYPE_CHECKING:
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.auth.secret_resolver import Keyring


def _are_certificates(value: str | Reference) -> str | Reference:
    problem = authorities_problem(value) if isinstance(value, str) else None
    if problem:
        raise ValueError(problem)
    return value


class TlsFields(BaseModel):
    """What the other side of a TLS connection must be like."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    verify_tls: bool = True
    """Whether the certificate must be valid."""
    ca_certificates: Annotated[TextOrReference, AfterValidator(_are_certificates)] | None = None
    """PEM of the certificates of authorities that it may be of, besides those of the system: a text, or by reference as a
    secret."""
    min_tls_version: MinVersion = "1.2"
    """The oldest version of TLS that may be spoken."""

    @model_validator(mode="after")
    def _verifies_with_authorities(self) -> Self:
        if self.ca_certificates is not None and not self.verify_tls:
            raise ValueError(
                "ca_certificates: nothing is verified with them while verify_tls is false; give one of the two"
            )
        return self

    @property
    def authorities(self) -> list[Reference]:
        """The certificates of authorities, where they are given by reference."""
        given = self.ca_certificates
        return [] if given is None or isinstance(given, str) else [given]

    def trusting(self, limits: Limits, keyring: Keyring) -> Limits:
        """Return limits with these fields.

        Raises
        ------
        FactError
            If certificates that are given by reference can't be had.
        """
        return limits._replace(
            verify_tls=self.verify_tls,
            ca_certificates="" if self.ca_certificates is None else keyring.read(self.ca_certificates),
            min_tls_version=self.min_tls_version,
        )


class ExchangeFields(TlsFields):
    """What a request may cost, besides time, how far it is followed, and whom it trusts."""

    follow_redirects: bool = False
    """Whether to go where a redirect leads."""
    max_redirects: Annotated[int, Field(ge=1, le=50)] = 10
    """How many times."""
    max_body_bytes: Annotated[int, Field(ge=1, le=10_485_760)] = 1_048_576
    """The largest body, after decompression; a larger one is a failure."""

    def limited(self, keyring: Keyring, timeout_seconds: float, connect_retries: int = 0) -> Keyring:
        """Return a keyring with these fields as its limits, which hold for whatever is asked for tokens, too.

        Parameters
        ----------
        keyring
            What opens certificates by reference; its own limits are of no account.
        timeout_seconds, connect_retries
            The time and the further attempts that there are.

        Raises
        ------
        FactError
            If certificates that are given by reference can't be had.
        """
        limits = Limits(
            timeout_seconds=timeout_seconds,
            connect_retries=connect_retries,
            follow_redirects=self.follow_redirects,
            max_redirects=self.max_redirects,
            max_body_bytes=self.max_body_bytes,
        )
        return keyring._replace(limits=self.trusting(limits, keyring))
