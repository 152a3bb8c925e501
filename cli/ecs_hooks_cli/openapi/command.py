"""The command."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from ecs_hooks.plan.model import MAX_CHECKS, Plan

LARGE = 32_768
"""Bytes of a plan from which on there is a warning: how much ECS takes is not documented."""
_MOST_PROBLEMS = 20


def _is_path(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith("/"):
        raise click.BadParameter("must begin with /")
    return value


@click.command("import")
@click.argument("document", type=click.File(encoding="utf-8"))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file.")
@click.option("--tag", "tags", multiple=True, help="Only operations with this tag; can be repeated.")
@click.option("--include-secured", is_flag=True, help="Also those that need credentials, without any.")
@click.option(
    "--base-path", callback=_is_path, help="What stands in front of each path. Default: that of the first server."
)
@click.option("--no-schemas", is_flag=True, help="Compare no response with its schema.")
def import_openapi(
    *,
    document: TextIO,
    output: Path | None,
    tags: Collection[str],
    include_secured: bool,
    base_path: str | None,
    no_schemas: bool,
) -> None:
    """Make smoke checks from the OpenAPI 3.0 or 3.1 DOCUMENT of a service (JSON or YAML, - for standard input).

    Each GET and HEAD whose required parameters have an example, default or enum becomes an http check of its status, its
    media type and the schema of its JSON. The host of the document does not count: green is asked where the hook finds it.
    What is not imported is told on standard error, with the reason.

    Exit status 1 where the document has mistakes, or nothing can be imported.
    """
    # It takes a while to load, and no other command needs it.
    from ecs_hooks_cli.openapi.document import DocumentError, read_document  # noqa: PLC0415
    from ecs_hooks_cli.openapi.importing import Choice, checks_of  # noqa: PLC0415
    from ecs_hooks_cli.openapi.operations import count_others  # noqa: PLC0415

    try:
        read = read_document(document)
        checks, skipped, notes = checks_of(read, Choice(tags, include_secured, base_path, not no_schemas))
    except DocumentError as error:
        _end(document.name, error.problems)
    for kind, told in (("skipped", skipped), ("note", notes)):
        for operation, why in told:
            click.echo(f"{kind}: {operation}: {why}", err=True)
    click.echo(f"{len(checks)} imported, {len(skipped)} skipped, {count_others(read)} neither GET nor HEAD", err=True)
    if not checks:
        _end(document.name, ["there is nothing to import"])
    if len(checks) > MAX_CHECKS:
        _end(document.name, [f"a plan has at most {MAX_CHECKS} checks; choose some operations with --tag"])
    _write({"checks": checks}, output)


def _write(plan: dict[str, Any], output: Path | None) -> None:
    Plan.parse(plan)  # what is written is a valid plan, or nothing is
    size = len(json.dumps(plan, separators=(",", ":")).encode())
    if size > LARGE:
        click.echo(
            f"warning: the plan has {size / 1024:.0f} KiB, and how much ECS takes in hookDetails is not documented; choose "
            "operations with --tag, or leave the schemas out with --no-schemas",
            err=True,
        )
    text = json.dumps(plan, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _end(name: str, problems: Sequence[str]) -> NoReturn:
    for problem in problems[:_MOST_PROBLEMS]:
        click.echo(f"{name}: {problem}", err=True)
    if len(problems) > _MOST_PROBLEMS:
        click.echo(f"{name}: and {len(problems) - _MOST_PROBLEMS} more", err=True)
    sys.exit(1)
