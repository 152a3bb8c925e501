from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ecs_hooks
import ecs_hooks_cli as cli
from tests.cli.conftest import Run


def written(folder: Path, value: Any) -> Path:
    file = folder / "plan.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"checks": [{"type": "http"}], "mode": "observe"}, "valid, 1 checks, mode observe"),
        ({}, "valid, the default checks of its stage, mode enforce"),
    ],
)
def test_a_valid_plan(run: Run, tmp_path: Path, plan: Any, says: str) -> None:
    result = run("validate", written(tmp_path, plan))

    assert result.exit_code == 0
    assert says in result.output


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"chekcs": [], "mode": "x"}, "hookDetails.chekcs: unknown field; did you mean 'checks'?"),
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_plan_with_mistakes(run: Run, tmp_path: Path, plan: Any, says: str) -> None:
    result = run("validate", written(tmp_path, plan))

    assert result.exit_code == 1
    assert says in result.output


def test_a_file_that_is_no_text(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(b"\xff\xfe\x00")

    assert run("validate", file).exit_code == 1


def test_the_schema_is_printed_and_written(run: Run, tmp_path: Path) -> None:
    shipped = Path(ecs_hooks.__file__).with_name("plan.schema.json").read_text()

    assert run("schema").output == shipped
    assert run("schema", "-o", tmp_path / "schema.json").output == ""
    assert (tmp_path / "schema.json").read_text() == shipped


def test_version_and_help(run: Run) -> None:
    assert run("--version").output == "ecs-hooks, version 0.1.0\n"
    for command in ("simulate", "demo", "doctor", "import", "validate", "schema"):
        assert command in run("--help").output
        assert run(command, "--help").exit_code == 0


def test_the_program_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ecs-hooks", "--version"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 0
    assert "0.1.0" in capsys.readouterr().out


def test_without_the_extras_the_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ecs_hooks_cli.commands", None)

    with pytest.raises(SystemExit, match=r"pip install 'ecs-hooks\[cli,simulator\]'"):
        cli.main()


def test_the_library_does_not_load_the_command_line() -> None:
    program = "import ecs_hooks, sys; print([m for m in sys.modules if m.startswith(('click', 'rich', 'moto'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
