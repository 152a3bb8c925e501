"""Plans in files, and where these say that the plan is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.source import PlanReference, fetched


def read_plan(file: TextIO) -> tuple[dict[str, Any], Plan]:
    """Return the plan in a file, as it stands there and parsed; end the program where it has mistakes, naming each."""
    try:
        configuration = json.load(file)
        return configuration, Plan.parse(configuration)
    except RecursionError:
        problems: Sequence[str] = ("nested too deeply",)
    except PlanError as error:
        problems = error.problems
    except ValueError as error:
        problems = (f"not JSON: {error}",)
    sys.exit(_told(file, problems))


def fetch_plan(file: TextIO, configuration: dict[str, Any], place: str, region: str) -> tuple[dict[str, Any], Plan]:
    """Return the plan that a file names, fetched and parsed; end the program where it has mistakes, naming each.

    Raises
    ------
    FactError
        If AWS does not answer.
    """
    try:
        found = fetched(PlanReference.of(place), configuration, region)
        return found.fields, found.plan()
    except PlanError as error:
        sys.exit(_told(file, error.problems))


def _told(file: TextIO, problems: Sequence[str]) -> int:
    """Tell mistakes, and return the exit status for them."""
    for problem in problems:
        click.echo(f"{file.name}: {problem}", err=True)
    return 1
