"""Plans in files."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from ecs_hooks.plan import Plan, PlanError


def read_plan(file: TextIO) -> tuple[dict[str, Any], Plan]:
    """Return the plan in a file, as it stands there and parsed; end the program where it has mistakes, naming each."""
    try:
        configuration = json.load(file)
        return configuration, Plan.parse(configuration)
    except RecursionError:
        problems: tuple[str, ...] = ("nested too deeply",)
    except PlanError as error:
        problems = error.problems
    except ValueError as error:
        problems = (f"not JSON: {error}",)
    for problem in problems:
        click.echo(f"{file.name}: {problem}", err=True)
    sys.exit(1)
