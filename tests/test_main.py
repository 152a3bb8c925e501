from __future__ import annotations

import runpy
import sys

import pytest


def test_the_package_runs_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ecs_hooks", "--version"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("ecs_hooks", run_name="__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("ecs-hooks, version ")


def test_the_library_alone_says_how_to_install_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ecs_hooks_cli", None)

    with pytest.raises(SystemExit, match=r"the command line is not installed; run: pip install 'ecs-hooks\[cli\]'"):
        runpy.run_module("ecs_hooks", run_name="__main__")
