"""Variables `{{name}}` in the requests of a check, as in Hurl: their values are given, captured, or generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from ecs_hooks.auth.secret_resolver import Secret, SecretResolver
from ecs_hooks.auth.secret_store import Reference
from ecs_hooks.checks.request.request_fields import RequestFields
from ecs_hooks.checks.request.template import LiteralTexts, variables_in
from ecs_hooks.checks.scenario.run_values import RunValues, generated_problem
from ecs_hooks.core.plan_model import is_annotation
from ecs_hooks.core.validation_errors import FieldError, Form, error_at, error_lines

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, InitErrorDetails

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$"), Form("name: letters, digits and _")]

V = TypeVar("V", bound="VariableRequest")

_RENDERED = "rendered"
"""Key of the validation context of a request whose variables have their values."""
_NO_VARIABLES = frozenset({"auth", "ca_certificates"})
"""Fields in which a variable can be a text only: green must not choose a role, a secret or a token endpoint."""


class VariableFields(LiteralTexts):
    """Values that the requests of a check use as `{{name}}`."""

    not_literal: ClassVar[frozenset[str]] = LiteralTexts.not_literal | {
        "requests",
        "login",
        "cleanup",
        "variables",
        "secrets",
    }

    variables: Annotated[dict[Identifier, JsonValue], Field(max_length=50)] = Field(default={})
    """Values that requests use as `{{name}}`, besides captured and generated ones. They may contain generated values."""
    secrets: Annotated[dict[Identifier, Secret], Field(max_length=50)] = Field(default={})
    """Secrets that requests use as `{{name}}`: each a text, or a secret by reference. Reasons mask them."""

    @model_validator(mode="after")
    def _has_each_name_once(self) -> Self:
        twice = sorted(set(self.variables) & set(self.secrets))
        if twice:
            raise ValueError(f"variables and secrets: both have {twice[0]}; rename one of them")
        problems = [
            f"variables.{name}: {{{{{expression}}}}} is not a generated value; use uuid, random or now"
            for name, value in self.variables.items()
            for expression in variables_in(value)
            if generated_problem(expression) != ""
        ]
        if problems:
            raise FieldError(*problems)
        return self

    @property
    def secret_references(self) -> tuple[Reference, ...]:
        """The secrets that are given by reference."""
        return tuple(secret for secret in self.secrets.values() if not isinstance(secret, str))

    def given_values(self, resolver: SecretResolver, generated: RunValues | None = None) -> RunValues:
        """Return the values by name, and add those that are secrets to the redactor.

        Parameters
        ----------
        resolver
            Resolves the secrets.
        generated
            Values whose generated ones are used; None for new ones.
        """
        values = self._with_generated(generated)
        resolver.redactor.add_fields(values)
        values.update({name: resolver.resolve(secret) for name, secret in self.secrets.items()})
        return values

    @property
    def known_values(self) -> RunValues:
        """The values that the plan contains."""
        values = self._with_generated(None)
        values.update({name: secret for name, secret in self.secrets.items() if isinstance(secret, str)})
        return values

    def known(self, requests: Sequence[V]) -> list[V]:
        """Return requests with the values that the plan contains. A request whose other values are unknown stays so."""
        values = self.known_values if any(each.template for each in requests) else RunValues()
        found = []
        for each in requests:
            found.append(each.with_known(values))
            values.forget(getattr(each, "captures", ()))
        return found

    def _with_generated(self, generated: RunValues | None) -> RunValues:
        values = RunValues() if generated is None else generated.copy()
        if any(variables_in(self.variables)):
            from ecs_hooks.checks.scenario.rendering import Renderer  # noqa: PLC0415 - few plans need it

            values.update(Renderer(values, lambda path, _: path).request({"json": self.variables})["json"])
        else:
            values.update(self.variables)
        return values

    def check_variables(
        self, requests: Sequence[VariableRequest], field: str, known: RunValues, names: set[str]
    ) -> None:
        """Validate the variables of some requests, as far as their values are known.

        Parameters
        ----------
        requests
            The requests, in order.
        field
            Their field.
        known
            Values that are known before the deployment. Those that a request captures are removed.
        names
            Names of all variables with a value. Those that a request captures are added.

        Raises
        ------
        FieldError
            If a variable has no value, or one that does not fit.
        """
        for number, request in enumerate(requests):
            where = f"{field}[{number}]"
            for expression in sorted(request.variables - names):
                problem = generated_problem(expression)
                if problem != "":
                    raise FieldError(f"{where}: {{{{{expression}}}}} {problem or _NO_VALUE.format(expression)}")
            problems = request.problems_with(known, where)
            if problems:
                raise FieldError(*problems)
            captured = set(getattr(request, "captures", ()))
            names |= captured
            known.forget(captured)


_NO_VALUE = (
    "has no value; add it to variables or secrets, or capture it in an earlier request; for the text itself, write "
    "\\{{{{{}}}}}"
)


class VariableRequest(RequestFields):
    """A request that may use variables. Values that depend on them are validated when they are known."""

    _template: dict[str, Any] | None = PrivateAttr(default=None)
    """The fields as the plan has them, if one has a variable or literal braces."""

    @model_validator(mode="wrap")
    @classmethod
    def _as_template(cls, given: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(given, Mapping) or (info.context or {}).get(_RENDERED):
            return handler(given)
        template = {name: _plain(value) for name, value in given.items() if not is_annotation(name)}
        if not _has_braces(template):
            return handler(given)
        if template.get("path") is not None and template.get("url") is not None:
            raise ValueError("has both path and url; remove one of them")
        made: Self = _Deferred(template).validated(handler)
        made._template = template
        return made

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> Any:
        return handler(self) if self._template is None else self._template

    @property
    def template(self) -> Mapping[str, Any] | None:
        """The fields as the plan has them; None if they have neither variables nor literal braces."""
        return self._template

    @property
    def variables(self) -> set[str]:
        """The expressions of the variables in the fields."""
        return set(variables_in(self._template or {}))

    @property
    def to_green(self) -> bool:
        """Whether the request goes to green, not to a `url`."""
        return self.url is None and "url" not in (self._template or {})

    def rendered(self, fields: Mapping[str, Any]) -> Self:
        """Return the request with fields whose variables have their values.

        Raises
        ------
        ValidationError
            If a value does not fit into its field.
        """
        return type(self).model_validate(fields, context={_RENDERED: True})

    def with_known(self, values: RunValues) -> Self:
        """Return the request with the values that are known before the deployment.

        Raises
        ------
        ValidationError, UnfitValueError
            If a value does not fit into its field.
        """
        if self._template is None:
            return self
        from ecs_hooks.checks.scenario.rendering import Renderer  # noqa: PLC0415 - plans without variables

        is_partial = any(each not in values for each in self.variables)
        fields = Renderer(values, _any_path, partial=is_partial).request(self._template)
        return type(self).model_validate(fields) if is_partial else self.rendered(fields)

    def problems_with(self, values: RunValues, where: str) -> list[str]:
        """Return the mistakes in the fields with the values that are known before the deployment."""
        from ecs_hooks.checks.scenario.rendering import UnfitValueError  # noqa: PLC0415 - as above

        try:
            self.with_known(values)
        except ValidationError as error:
            return error_lines(error, where, type(self))
        except UnfitValueError as error:
            return [f"{where}.{error}"]
        return []


def _any_path(path: str, _: str) -> str:
    """Return a path in place of an address that is resolved against green, whose own is unknown yet."""
    return path if path.startswith("/") else "/"


def _has_braces(template: Mapping[str, Any]) -> bool:
    return "{{" in str(template)


def _plain(value: Any) -> Any:
    """Return a value with the fields of models in place of models."""
    match value:
        case BaseModel():
            return value.model_dump(by_alias=True, exclude_unset=True)
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


class _Deferred:
    """Validates a template. Values that are not valid because of a variable are left out: they are validated later."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template
        self._pruned: set[tuple[str | int, ...]] = set()

    def validated(self, handler: ModelWrapValidatorHandler[Any]) -> Any:
        """Return the model with all values that are valid.

        Raises
        ------
        ValidationError
            If a value is not valid for another reason.
        """
        while True:
            try:
                return handler(self._without_pruned(self._template, ()))
            except ValidationError as error:
                found = [(each, self._causes(each)) for each in error.errors(include_url=False)]
                real = [self._again(each) for each, causes in found if not causes]
                if real:
                    raise ValidationError.from_exception_data(error.title, real) from None
                self._pruned |= {place for _, causes in found for place in causes}

    def _again(self, detail: ErrorDetails) -> InitErrorDetails:
        """Return an error with its place in the template."""
        at, _ = self._place(detail["loc"])
        return error_at(detail, (*at, *detail["loc"][len(at) :]))

    def _causes(self, detail: ErrorDetails) -> list[tuple[str | int, ...]]:
        """Return the places of the variables that may cause an error; empty if it has another cause."""
        at, value = self._place(detail["loc"])
        if not at or at[0] in _NO_VARIABLES or (at[0] == "headers" and len(at) > 2):  # noqa: PLR2004 - in a reference
            return []
        if {"query", "filters"} & set(at[-2:]) and at[0] in {"expect", "captures"} and isinstance(value, str):
            return []  # the name of a query or of a filter
        if isinstance(value, str):
            return [at] if any(variables_in(value)) else []
        if any(each[: len(at)] == at for each in self._pruned):
            return [at]
        entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        return [(*at, key) for key, inner in entries if any(variables_in([key, inner]))]

    def _place(self, location: Sequence[str | int]) -> tuple[tuple[str | int, ...], Any]:
        """Return the innermost place of the template on the path of an error, and its value."""
        at: tuple[str | int, ...] = ()
        value: Any = self._template
        for step in location:
            if isinstance(value, list) and isinstance(step, int):
                # Items that are left out do not count in an error's index.
                left = [index for index in range(len(value)) if (*at, index) not in self._pruned]
                key: str | int = left[step] if step < len(left) else len(value)
            else:
                key = step
            if isinstance(value, list):
                is_there = isinstance(key, int) and key != len(value)
            else:
                is_there = isinstance(value, Mapping) and key in value
            if not is_there or (*at, key) in self._pruned:
                break
            at, value = (*at, key), value[key]
        return at, value

    def _without_pruned(self, value: Any, at: tuple[str | int, ...]) -> Any:
        match value:
            case Mapping():
                return {
                    key: self._without_pruned(inner, (*at, key))
                    for key, inner in value.items()
                    if (*at, key) not in self._pruned
                }
            case list():
                return [
                    self._without_pruned(inner, (*at, index))
                    for index, inner in enumerate(value)
                    if (*at, index) not in self._pruned
                ]
            case _:
                return value
