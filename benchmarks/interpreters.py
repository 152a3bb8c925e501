"""The interpreters for cold starts: this one, and the functions' Python if it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.events import ROOT

RUNTIME = "3.13"
"""The Python of the functions (`Runtime` in template.yaml)."""


class Interpreter(NamedTuple):
    """A Python that can run functions.

    Parameters
    ----------
    version
        Major and minor version.
    command
        The program.
    path
        `PYTHONPATH` with the library and its dependencies.
    """

    version: str
    command: str
    path: str


@contextmanager
def interpreters() -> Iterator[list[Interpreter]]:
    """Yield this Python, and the functions' Python if it is a different one and installed."""
    version = ".".join(str(part) for part in sys.version_info[:2])
    found = [Interpreter(version, sys.executable, str(ROOT / "shared"))]
    python = _runtime_python()
    if version == RUNTIME or python is None:
        yield found
        return
    with TemporaryDirectory() as folder:
        _install(Path(folder))
        yield [*found, Interpreter(RUNTIME, python, f"{ROOT / 'shared'}:{folder}")]


def _runtime_python() -> str | None:
    """Return the functions' Python, if it is installed."""
    python = shutil.which(f"python{RUNTIME}")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    return python


def _install(folder: Path) -> None:
    """Install the dependencies of the layer, and Lambda's runtime client, for the functions' Python."""
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--python-version", RUNTIME, "--target", str(folder)),
            *("--requirement", str(ROOT / "benchmarks" / "requirements.txt")),
        ],
        check=True,
    )
