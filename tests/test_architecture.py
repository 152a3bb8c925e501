"""The structure of the packages, as docs/architecture.md describes it. import-linter holds the layers."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"ecs_hooks": "shared", "ecs_hooks_simulator": "simulator", "ecs_hooks_cli": "cli"}
SOURCES = [path for package, folder in PACKAGES.items() for path in (ROOT / folder / package).rglob("*.py")]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Imports at run time, those inside functions included."""
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)


def test_no_modules_import_each_other_directly_or_around_a_corner(imports: grimp.ImportGraph) -> None:
    imported = {module: imports.find_modules_directly_imported_by(module) for module in imports.modules}
    assert list(TopologicalSorter(imported).static_order())


def test_no_folders_import_each_other(imports: grimp.ImportGraph) -> None:
    """Only the root of a package is on both sides: it is above its folders, and `ecs_hooks.core` is below them."""
    folders: dict[str, set[str]] = {}
    for module in imports.modules:
        for imported in imports.find_modules_directly_imported_by(module):
            importing_folder, folder = (".".join(each.split(".")[:2]) for each in (module, imported))
            if importing_folder != folder:
                folders.setdefault(importing_folder, set()).add(folder)
    assert list(TopologicalSorter(folders).static_order())


def test_folders_stay_small() -> None:
    by_folder: dict[Path, int] = {}
    for path in SOURCES:
        if path.name != "__init__.py":
            by_folder[path.parent] = by_folder.get(path.parent, 0) + 1
    assert max(by_folder.values()) <= 20
    assert by_folder[ROOT / "shared" / "ecs_hooks"] <= 8
    assert not [path for path in SOURCES if len(path.read_text().splitlines()) > 400]


def test_the_files_that_the_documentation_names_are_there() -> None:
    for document in (ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"):
        named = re.findall(r"`((?:\w+/)*\w+\.(?:py|md|json|toml))`", document.read_text())
        known = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if ".venv" not in path.parts]
        # `running_tasks` is the example of a check to add.
        missing = [
            name
            for name in named
            if "running_tasks" not in name and not any(path.endswith(f"/{name}") or path == name for path in known)
        ]
        assert not missing, document.name
