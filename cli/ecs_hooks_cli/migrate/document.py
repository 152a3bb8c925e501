"""Values of a YAML or JSON document that know their line and path, for errors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, NoReturn

import yaml

from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.redaction import one_line

_NULL = "tag:yaml.org,2002:null"
_STANDARD_TAGS = "tag:yaml.org,2002:"
_SHOWN = 40
"""Characters of a wrong value in an error."""


class DocumentError(ValueError):
    """A document is not valid; the message begins with the line or the field."""


class Value(NamedTuple):
    """A value of a document; every method that reads it raises `DocumentError` if it is not what is expected.

    Parameters
    ----------
    node
        The YAML node.
    path
        Path of the value, such as `Hooks[0].BeforeInstall`; empty for the whole document.
    """

    node: Any
    path: str = ""

    @property
    def line(self) -> int:
        """The line at which the value begins, from 1 on."""
        return int(self.node.start_mark.line) + 1

    def fail(self, message: str) -> NoReturn:
        """Raise a `DocumentError` with line, path and message."""
        raise DocumentError(f"line {self.line}: {f'{self.path}: ' if self.path else ''}{message}")

    def fields(self, known: Collection[str] = (), *, example: str, ignored: Collection[str] = ()) -> dict[str, Value]:
        """Return the fields of an object.

        Parameters
        ----------
        known
            The allowed names, in any case; the result has them as spelt here. Empty allows any name. A known field that
            is null is absent.
        example
            An object for the error message.
        ignored
            Further names, in this case, that the result does not have.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"must be an object, such as {example}")
        spellings = {name.lower(): name for name in known}
        found: dict[str, Value] = {}
        for key, node in self.node.value:
            name = Value(key, self.path).text()
            value = Value(node, f"{self.path}.{name}" if self.path else name)
            if name in ignored:
                continue
            if known and name.lower() not in spellings:
                value.fail(f"unknown field{nearest(name, list(known))}")
            name = spellings.get(name.lower(), name)
            if known and node.tag == _NULL:
                continue  # absent, as in CloudFormation and in the AWS CLI
            if name in found:
                value.fail(f"duplicates the field in line {found[name].line}; remove one of them")
            found[name] = value
        return found

    def items(self, *, example: str) -> list[Value]:
        """Return the items of a list; a null value has none."""
        if self.node.tag == _NULL:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail(f"must be a list, such as {example}")
        return [Value(each, f"{self.path}[{number}]") for number, each in enumerate(self.node.value)]

    def text(self) -> str:
        """Return a string; a number counts as one."""
        if not self.node.tag.startswith(_STANDARD_TAGS):
            self.fail(f"CloudFormation's {self.node.tag} is not resolved; write the value itself")
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("must be a string")
        found = str(self.node.value).strip()
        if self.node.tag == _NULL or not found:
            self.fail("is empty; set a value, or remove the field")
        return found

    def number(self, least: int, most: int) -> int:
        """Return an integer within bounds."""
        text = self.text()
        if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
            self.fail(f"must be an integer from {least} to {most}, not {text[:_SHOWN]}")
        return int(text)

    def one_of(self, *allowed: str) -> str:
        """Return one of the allowed strings."""
        text = self.text()
        if text not in allowed:
            self.fail(f"must be {' or '.join(allowed)}, not {text[:_SHOWN]}")
        return text


def parse_document(text: str) -> Value:
    """Return the value of a whole YAML or JSON document.

    Raises
    ------
    DocumentError
        If it is neither, or is empty.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        # JSON is YAML except for tabs between tokens; a JSON string never contains a literal tab.
        text = text.replace("\t", " ")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DocumentError(f"{line}is neither YAML nor JSON: {error.problem}") from None
    except yaml.YAMLError as error:
        raise DocumentError(f"is neither YAML nor JSON: {one_line(str(error))}") from None
    if node is None:
        raise DocumentError("is empty")
    return Value(node)
