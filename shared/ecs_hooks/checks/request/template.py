r"""Templates in the texts of a plan: `{{name}}` is a variable, and `\{{name}}` is the text `{{name}}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from ecs_hooks.core.plan_model import PlanModel, is_annotation
from ecs_hooks.core.validation_errors import FieldError

_TOKEN = re.compile(r"(\\*)\{\{\s*([A-Za-z_$][\w.$+\-:%/ ]*?)\s*\}\}")
"""A variable, or a mistyped one, with the backslashes before it; an odd number of them makes it a literal text."""


def variables_in(value: Any) -> Iterator[str]:
    """Yield the expression of each variable in the texts of a JSON value, keys of objects included."""
    for text in _texts_in(value):
        yield from (expression for slashes, expression in _TOKEN.findall(text) if len(slashes) % 2 == 0)


def whole_variable(text: str) -> str | None:
    """Return the expression of a text that consists of one variable; None for any other text."""
    found = _TOKEN.fullmatch(text)
    return found[2] if found and not found[1] else None


def first_variable(text: str) -> str | None:
    """Return the expression of the variable at the beginning of a text; None if there is none."""
    found = _TOKEN.match(text)
    return found[2] if found and not found[1] else None


def rendered(text: str, replace: Callable[[str, int], str], *, keep_literals: bool = False) -> str:
    """Return a text with its variables replaced, and its literal braces without their backslash.

    Parameters
    ----------
    text
        The text.
    replace
        Returns the replacement of a variable, from its expression and its position in the text.
    keep_literals
        Whether literal braces keep their backslash, so that the result is a template again.
    """

    def one(found: re.Match[str]) -> str:
        slashes = found[1]
        if len(slashes) % 2:
            return found[0] if keep_literals else found[0][1:]
        return f"{slashes}{replace(found[2], found.start() + len(slashes))}"

    return _TOKEN.sub(one, text) if "{{" in text else text


def as_literal(value: Any) -> Any:
    """Return a JSON value whose texts are literal: the inverse of `rendered` for texts without variables."""
    return _mapped(value, lambda text: _TOKEN.sub(lambda found: f"\\{found[0]}", text) if "{{" in text else text)


def literal(value: Any) -> Any:
    """Return a JSON value without variables as it is sent: literal braces without their backslash."""
    return _mapped(value, lambda text: rendered(text, lambda expression, _: f"{{{{{expression}}}}}"))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {_mapped(key, change): _mapped(inner, change) for key, inner in value.items()}
        case list() | tuple():
            return [_mapped(inner, change) for inner in value]
        case _:
            return value


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str() if "{{" in value:
            yield value
        case Mapping():
            for key, inner in value.items():
                yield from _texts_in(key)
                yield from _texts_in(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts_in(inner)


def _places(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the expression of each variable in the texts of a JSON value."""
    match value:
        case str():
            yield from ((where, expression) for expression in variables_in(value))
        case Mapping():
            for name, inner in value.items():
                yield from ((where or str(name), expression) for expression in variables_in(name))
                yield from _places(inner, f"{where}.{name}".removeprefix("."))
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from _places(inner, f"{where}[{index}]")
        case _:
            return


class LiteralTexts(PlanModel):
    r"""A model whose texts are used as they are. A variable in them is a mistake: green would get `{{name}}`."""

    not_literal: ClassVar[frozenset[str]] = frozenset({"name", "steps"})
    """Fields in which `{{name}}` is allowed, or that validate their texts themselves."""

    @model_validator(mode="before")
    @classmethod
    def _without_variables(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        texts = {
            name: value for name, value in given.items() if name not in cls.not_literal and not is_annotation(name)
        }
        if next(_texts_in(texts), None) is None:
            return given
        problems = [
            f"{name}: {{{{{expression}}}}} has no value here, because only the requests of scenario, load and compare "
            f"have variables; for the text itself, write \\{{{{{expression}}}}}"
            for name, expression in dict.fromkeys(_places(texts))
        ]
        if problems:
            raise FieldError(*problems)
        return {**given, **literal(texts)}

    @model_serializer(mode="wrap")
    def _with_literal_braces(self, handler: SerializerFunctionWrapHandler) -> Any:
        fields = handler(self)
        if next(_texts_in(fields), None) is None:
            return fields
        return {name: value if name in self.not_literal else as_literal(value) for name, value in fields.items()}
