"""The task definition of a revision: which container has which port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask_page, reading

ACTION = "ecs:DescribeTaskDefinition"


class Port(NamedTuple):
    """A port of a container.

    Parameters
    ----------
    container
        Name of the container.
    number
        The port that it listens on.
    """

    container: str
    number: int


def container_definitions(task_definition: str, region: str) -> list[Mapping[str, Any]]:
    """Ask for the containers of a task definition.

    Raises
    ------
    FactError
        If ECS does not answer.
    """
    answer = ask_page(ACTION, region, taskDefinition=task_definition)
    with reading(ACTION):
        found: list[Mapping[str, Any]] = answer["taskDefinition"]["containerDefinitions"]
        return found


def named_port(containers: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Port | None:
    """Return the port with the first of these names that a container has; None where none has one.

    Parameters
    ----------
    containers
        Container definitions.
    names
        Names of port mappings, as Service Connect and VPC Lattice use them.
    """
    with reading(ACTION):
        ports = {
            mapping["name"]: Port(each["name"], mapping["containerPort"])
            for each in containers
            for mapping in each.get("portMappings", [])
            if "name" in mapping
        }
    return next((ports[name] for name in names if name in ports), None)
