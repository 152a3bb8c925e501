"""Plans in files, and plans that these refer to."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

import click

from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.source import MAX_BYTES, PlanReference, fetched

STANDARD_BYTES = 4_096
ADVANCED_BYTES = 8_192
"""The largest value of a parameter in Systems Manager, by tier."""
LARGE = 32_768
"""Bytes of a plan that give a warning: AWS does not document a limit of hookDetails."""
_SHOWN_AS_BYTES = 10_240


def read_plan(file: TextIO) -> tuple[dict[str, Any], Plan]:
    """Return the JSON and the plan of a file; if it is not valid, print every problem and exit with status 1."""
    try:
        text = file.read()
        configuration = read_json(text, strict=True)
        parsed = Plan.parse(configuration)
    except PlanError as error:
        _exit(file, error.problems)
    except UnicodeDecodeError:
        _exit(file, ["is not JSON: its text is not UTF-8"])
    except JsonError as error:
        _exit(file, [str(error)])
    problem = storage_problem(text)
    if problem:
        _exit(file, [problem])
    note = storage_note(text)
    if note:
        click.echo(f"{file.name}: note: {note}", err=True)
    return configuration, parsed


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


def stored_text(plan: dict[str, Any]) -> str:
    """Return the JSON of a plan for a file: indented, unless it is large."""
    text = json.dumps(plan, indent=2) + "\n"
    return text if len(text.encode()) <= LARGE else json.dumps(plan, separators=(",", ":"))


def storage_problem(text: str) -> str:
    """Return why no place for plans can store this text; empty if one can."""
    size = len(text.encode())
    return "" if size <= MAX_BYTES else f"has {size:,} bytes; a stored plan has at most {MAX_BYTES:,}"


def storage_note(text: str) -> str:
    """Return the size of a plan's text, and which places can store it; empty if each can."""
    size = len(text.encode())
    if size <= STANDARD_BYTES and "{{" not in text:
        return ""
    shown = f"{size / 1024:.0f} KiB" if size > _SHOWN_AS_BYTES else f"{size:,} bytes"
    parameter = f"a parameter of Systems Manager {STANDARD_BYTES:,}, or {ADVANCED_BYTES:,} in the advanced tier"
    return (
        f"has {shown}, and AWS does not document the maximum size of hookDetails; an object in S3 may have {MAX_BYTES:,} bytes, "
        f"{parameter}" + (", but its value may not contain {{" if "{{" in text else "")
    )


def _exit(file: TextIO, problems: Sequence[str]) -> NoReturn:
    for problem in problems:
        click.echo(f"{file.name}: {problem}", err=True)
    sys.exit(1)
