"""The command `ecs-hooks`, for people: plans are checked and deployments are played before anything reaches AWS."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say what has to be installed for it."""
    try:
        from ecs_hooks_cli.commands import ecs_hooks  # noqa: PLC0415 - the extras may be missing
    except ModuleNotFoundError as error:
        sys.exit(f"ecs-hooks: {error.name} is not installed; try: pip install 'ecs-hooks[cli,simulator]'")
    ecs_hooks(prog_name="ecs-hooks")
