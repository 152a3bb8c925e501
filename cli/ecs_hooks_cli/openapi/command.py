"""`ecs-hooks import`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

import click

from ecs_hooks.plan.model import MAX_CHECKS, Plan
from ecs_hooks_cli.common.plans import LARGE, storage_note, storage_problem, stored_text

_MAX_LINES = 20
_SMALLER = "choose some operations with --tag, or leave the schemas out with --no-schemas"


def _is_path(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith("/"):
        raise click.BadParameter("must begin with /")
    return value


@click.command("import")
@click.argument("document", type=click.File(encoding="utf-8"))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file.")
@click.option("--tag", "tags", multiple=True, help="Only operations with this tag; can be repeated.")
@click.option("--include-secured", is_flag=True, help="Include operations that require credentials, without any.")
@click.option("--base-path", callback=_is_path, help="Prefix of each path. Default: that of the first server.")
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
    """Make smoke checks from the OpenAPI 3.0 or 3.1 DOCUMENT of a service.

    DOCUMENT is a JSON or YAML file, - for standard input. Each GET and HEAD whose required parameters have an example,
    default or enum becomes an http check of its status, its media type and the schema of its JSON. The document's host is
    ignored: the hook finds green's address. Standard error lists the skipped operations, with reasons.

    Exit status 1 if the document is invalid, or there is nothing to import.
    """
    # The validators are slow to load, and `import --help` does not need them.
    from ecs_hooks_cli.openapi.checks import Choice, checks_of  # noqa: PLC0415
    from ecs_hooks_cli.openapi.document import DocumentError, read_document  # noqa: PLC0415
    from ecs_hooks_cli.openapi.operations import count_others  # noqa: PLC0415

    try:
        read = read_document(document)
        checks, skipped, notes = checks_of(read, Choice(tags, include_secured, base_path, not no_schemas))
    except DocumentError as error:
        _end(document.name, error.problems)
    for kind, lines in (("skipped", skipped), ("note", notes)):
        for operation, why in lines:
            click.echo(f"{kind}: {operation}: {why}", err=True)
    click.echo(f"{len(checks)} imported, {len(skipped)} skipped, {count_others(read)} neither GET nor HEAD", err=True)
    if not checks:
        _end(document.name, ["there is nothing to import"])
    if len(checks) > MAX_CHECKS:
        _end(document.name, [f"a plan has at most {MAX_CHECKS} checks; choose some operations with --tag"])
    plan = {"checks": checks}
    Plan.parse(plan)  # writes no invalid plan
    text = stored_text(plan)
    problem = storage_problem(text)
    if problem:
        _end(document.name, [f"the plan {problem}; {_SMALLER}"])
    if len(text.encode()) > LARGE:
        click.echo(f"warning: the plan {storage_note(text)}; {_SMALLER}", err=True)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _end(name: str, problems: Sequence[str]) -> NoReturn:
    for problem in problems[:_MAX_LINES]:
        click.echo(f"{name}: {problem}", err=True)
    if len(problems) > _MAX_LINES:
        click.echo(f"{name}: and {len(problems) - _MAX_LINES} more", err=True)
    sys.exit(1)
