"""Hooks to play with, and their plans, from files."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator import CallableTarget


def by_stage(values: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    """Return the values of an option of the form STAGE=VALUE, each with its stage."""
    for value in values:
        stage, equals, rest = value.partition("=")
        if not equals or stage not in Stage.__members__:
            raise click.UsageError(f"{option} {value}: STAGE= is missing; stages: {', '.join(Stage)}")
        yield stage, rest


def callables(hooks: Path | None, handlers: Sequence[str]) -> Iterator[tuple[str, CallableTarget]]:
    """Return the handlers that are named one by one, or those of a folder, each with its stage."""
    if handlers:
        for stage, place in by_stage(handlers, "--hook"):
            file, _, function = place.partition(":")
            yield stage, _target(stage, Path(file), function or "lambda_handler")
        return
    folder = hooks or Path("hooks")
    for stage in Stage:
        file_of_stage = folder / f"{stage.lower()}.py"
        if file_of_stage.is_file():
            yield stage, _target(stage, file_of_stage, "lambda_handler")


def _target(stage: str, file: Path, function: str) -> CallableTarget:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise click.UsageError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    handler = getattr(module, function, None)
    if handler is None:
        raise click.UsageError(f"{file} has no {function}")
    return CallableTarget(handler, name=stage.title().replace("_", ""), timeout_seconds=120)


def plans(file: Path | None) -> Mapping[str, Any]:
    """Return the hookDetails of a file by stage."""
    if file is None:
        return {}
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{file}: not JSON: {error}") from error
    if isinstance(plan, dict) and plan and all(key in Stage.__members__ for key in plan):
        return plan
    return {Stage.POST_TEST_TRAFFIC_SHIFT: plan}
