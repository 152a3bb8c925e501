"""`python -m ecs_hooks`: the same as the command `ecs-hooks`, where the command line is installed."""

from __future__ import annotations

import sys

try:
    from ecs_hooks_cli import main
except ModuleNotFoundError:
    # The Lambda layer holds the library alone.
    sys.exit("ecs-hooks: the command line is not installed; run: pip install 'ecs-hooks[cli]'")

main()
