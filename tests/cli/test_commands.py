from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ecs_hooks
import ecs_hooks_cli as cli
from ecs_hooks_cli.commands import LazyCommand
from tests.cli.conftest import Run


def written(folder: Path, value: Any) -> Path:
    file = folder / "plan.json"
    file.write_bytes(
        value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    )
    return file


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"checks": [{"type": "http"}], "mode": "observe"}, "valid, 1 check, mode observe"),
        ({}, "valid, the default checks of its stage, mode enforce"),
    ],
)
def test_a_valid_plan_is_exit_status_0(run: Run, tmp_path: Path, plan: Any, message: str) -> None:
    result = run("validate", written(tmp_path, plan))

    assert result.exit_code == 0
    assert message in result.output


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"chekcs": [], "mode": "x"}, "hookDetails.chekcs: unknown field; did you mean 'checks'?"),
        ("{", "not JSON"),
        ("{", "is not JSON: Expecting property name enclosed in double quotes, line 1 column 2"),
        (b"\xff", "is not JSON: its text is not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ({"checks": [{"type": "http", "method": "POST", "json": "x" * 270_000}]}, "262,144"),
        ('{"checks": [], "checks": []}', "has the key 'checks' twice in one object"),
        (f'{{"timeout_minutes": {"9" * 5000}}}', "has a number that is too large (5000 characters)"),
        ('{"timeout_minutes": NaN}', "is not JSON: NaN is not a number of JSON"),
        (f'{{"checks": [{"[" * 150}{"]" * 150}]}}', "hookDetails.checks[0]: must be an object"),
    ],
)
def test_an_invalid_plan_is_exit_status_1(run: Run, tmp_path: Path, plan: Any, message: str) -> None:
    result = run("validate", written(tmp_path, plan))

    assert result.exit_code == 1
    assert message in result.output


def test_a_file_that_is_not_text_is_exit_status_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(b"\xff\xfe\x00")

    assert run("validate", file).exit_code == 1


def test_the_schema_is_printed_and_written(run: Run, tmp_path: Path) -> None:
    shipped = Path(ecs_hooks.__file__).with_name("plan.schema.json").read_text()

    assert run("schema").output == shipped
    assert run("schema", "-o", tmp_path / "schema.json").output == ""
    assert (tmp_path / "schema.json").read_text() == shipped


def test_version_and_help(run: Run) -> None:
    assert run("--version").output == f"ecs-hooks, version {ecs_hooks.__version__}\n"
    for command in ("simulate", "demo", "doctor", "import", "validate", "schema"):
        assert command in run("--help").output
        assert run(command, "--help").exit_code == 0


def test_the_summaries_of_the_help_are_those_of_the_commands() -> None:
    lazy = [each for each in cli.commands.ecs_hooks.commands.values() if isinstance(each, LazyCommand)]

    assert len(lazy) == 9
    assert [(each.name, each.get_short_help_str(1000)) for each in lazy] == [
        (each.name, each.load().get_short_help_str(1000)) for each in lazy
    ]


@pytest.mark.parametrize("options", [["--help"], ["--version"], ["validate", "--help"], ["schema", "--help"]])
def test_help_imports_click_alone(options: list[str]) -> None:
    program = f"""if True:
        import sys
        before = set(sys.modules)
        from ecs_hooks_cli import main
        try:
            sys.argv = ["ecs-hooks", *{options}]
            main()
        finally:
            packages = {{name.partition(".")[0] for name in set(sys.modules) - before}}
            print(sorted(packages - sys.stdlib_module_names), file=sys.stderr)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "['click', 'ecs_hooks_cli']"


@pytest.mark.parametrize(
    ("command", "absent"),
    [
        ("attach", {"moto", "rich", "ecs_hooks_simulator", "jsonschema"}),
        ("check", {"moto", "flask", "jinja2", "ecs_hooks_simulator"}),
        ("demo", {"moto", "flask", "jinja2", "yaml"}),
        ("doctor", {"moto", "flask", "jinja2", "ecs_hooks_simulator"}),
        ("import", {"moto", "rich", "yaml", "openapi_spec_validator", "ecs_hooks_simulator"}),
        ("migrate", {"moto", "flask", "jinja2", "ecs_hooks_simulator"}),
        ("simulate", {"moto", "flask", "jinja2", "yaml"}),
    ],
)
def test_the_help_of_a_command_imports_its_own_packages(command: str, absent: set[str]) -> None:
    program = f"from ecs_hooks_cli import commands; commands.ecs_hooks.commands[{command!r}].load()"
    program += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert absent.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(("command", "extras"), [("demo", "cli,simulator"), ("doctor", "cli")])
def test_a_command_without_its_extra_says_how_to_install_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, extras: str
) -> None:
    lazy = cli.commands.ecs_hooks.commands[command]
    assert isinstance(lazy, LazyCommand)
    monkeypatch.setitem(sys.modules, lazy.module, None)

    result = run(command)

    assert result.exit_code == 1
    assert f"is not installed; run: pip install 'ecs-hooks[{extras}]'" in result.output


def test_the_program_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ecs-hooks", "--version"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 0
    assert "0.1.0" in capsys.readouterr().out


def test_without_click_the_program_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ecs_hooks_cli.commands", None)

    with pytest.raises(SystemExit, match=r"pip install 'ecs-hooks\[cli,simulator\]'"):
        cli.main()


def test_the_library_does_not_load_the_command_line() -> None:
    program = "import ecs_hooks, sys; print([m for m in sys.modules if m.startswith(('click', 'rich', 'moto'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
