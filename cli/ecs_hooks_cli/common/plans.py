"""Plans in files, and plans that these refer to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

import click

from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.source import PlanReference, fetched


def read_plan(file: TextIO) -> tuple[dict[str, Any], Plan]:
    """Return the JSON and the plan of a file; if it is not valid, print every problem and exit with status 1."""
    try:
        configuration = read_json(file.read(), strict=True)
        return configuration, Plan.parse(configuration)
    except PlanError as error:
        _exit(file, error.problems)
    except UnicodeDecodeError:
        _exit(file, ["is not JSON: its text is not UTF-8"])
    except JsonError as error:
        _exit(file, [str(error)])


def fetch_plan(file: TextIO, configuration: dict[str, Any], place: str, region: str) -> tuple[dict[str, Any], Plan]:
    """Return the JSON and the plan that a file refers to; if it is not valid, print every problem and exit with status 1.

    Raises
    ------
    FactError
        If an AWS call fails.
    """
    try:
        found = fetched(PlanReference.of(place), configuration, region)
        return found.fields, found.plan()
    except PlanError as error:
        _exit(file, error.problems)


def _exit(file: TextIO, problems: Sequence[str]) -> NoReturn:
    for problem in problems:
        click.echo(f"{file.name}: {problem}", err=True)
    sys.exit(1)
