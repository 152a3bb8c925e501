"""The command `ecs-hooks`: it checks plans and plays deployments before anything reaches AWS."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; where its extra is not installed, end with the command that installs it."""
    try:
        from ecs_hooks_cli.commands import ecs_hooks  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as error:
        sys.exit(f"ecs-hooks: {error.name} is not installed; run: pip install 'ecs-hooks[cli,simulator]'")
    ecs_hooks(prog_name="ecs-hooks")
