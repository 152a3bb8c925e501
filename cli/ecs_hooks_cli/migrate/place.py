"""Values of a YAML or JSON document, with the place where each stands."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, NoReturn

import yaml

from ecs_hooks.core.formatting import nearest
from ecs_hooks.core.redaction import one_line

_NULL = "tag:yaml.org,2002:null"
_OWN = "tag:yaml.org,2002:"


class DocumentError(ValueError):
    """There is something wrong with a document; the message begins with the place."""


class Place(NamedTuple):
    """A value, and where it stands.

    Parameters
    ----------
    node
        The value.
    path
        Its fields, such as `Hooks[0].BeforeInstall`; empty for the whole document.
    """

    node: Any
    path: str = ""

    @property
    def line(self) -> int:
        """The line in which it begins, from 1 on."""
        return int(self.node.start_mark.line) + 1

    def refuse(self, message: str) -> NoReturn:
        """Raise an error that names the place.

        Raises
        ------
        DocumentError
            Always.
        """
        about = f"{self.path}: " if self.path else ""
        raise DocumentError(f"line {self.line}: {about}{message}")

    def fields(self, known: Collection[str] = (), *, example: str) -> dict[str, Place]:
        """Return the fields of an object, by their names as they are spelt in `known`, which they may differ from in case.

        Parameters
        ----------
        known
            The fields that there may be; any where none is given.
        example
            What the whole looks like, for the error where it is no object.

        Raises
        ------
        DocumentError
            If it is no object, or a field is unknown or there twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"must be an object, such as {example}")
        spelt = {name.lower(): name for name in known}
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = Place(key, self.path).text()
            place = Place(value, f"{self.path}.{name}" if self.path else name)
            if known and name.lower() not in spelt:
                place.refuse(f"is no known field{nearest(name, list(known))}")
            name = spelt.get(name.lower(), name)
            if name in found:
                place.refuse(f"is there already, in line {found[name].line}; keep one of them")
            found[name] = place
        return found

    def items(self, *, example: str) -> list[Place]:
        """Return the items of a list; none where the value is empty.

        Raises
        ------
        DocumentError
            If it is no list.
        """
        if self.node.tag == _NULL:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"must be a list, such as {example}")
        return [Place(each, f"{self.path}[{number}]") for number, each in enumerate(self.node.value)]

    def text(self) -> str:
        """Return a text, which a number is, too.

        Raises
        ------
        DocumentError
            If it is none, is empty, or has a tag that only CloudFormation understands.
        """
        if not self.node.tag.startswith(_OWN):
            self.refuse(f"{self.node.tag} is CloudFormation's, and is not resolved here; give the value itself")
        if not isinstance(self.node, yaml.ScalarNode):
            self.refuse("must be a text")
        found = str(self.node.value).strip()
        if self.node.tag == _NULL or not found:
            self.refuse("is empty; give a value, or leave the field out")
        return found

    def number(self, least: int, most: int) -> int:
        """Return a whole number within these bounds.

        Raises
        ------
        DocumentError
            If it is none.
        """
        text = self.text()
        if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
            self.refuse(f"must be a whole number from {least} to {most}")
        return int(text)

    def one_of(self, *known: str) -> str:
        """Return one of these texts.

        Raises
        ------
        DocumentError
            If it is none of them.
        """
        text = self.text()
        if text not in known:
            self.refuse(f"must be {' or '.join(known)}")
        return text


def parsed(text: str) -> Place:
    """Return the whole of a document in YAML or JSON.

    Raises
    ------
    DocumentError
        If it is neither, or empty.
    """
    if text.lstrip().startswith("{"):
        # JSON is YAML but for tabs; within its texts there are none.
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
    return Place(node)
