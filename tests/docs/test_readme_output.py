"""The output of commands in the README is what they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.account import Account
from tests.cli.conftest import ROOT, Run, account, cloud, run
from tests.docs.test_readme import TEXT

__all__ = ["account", "cloud", "run"]


def quoted(command: str) -> list[str]:
    """Return the lines below a command in the README, up to the next command or the end of the block."""
    _, _, rest = TEXT.partition(f"$ {command}")
    block, _, _ = rest.partition("\n```")
    output, _, _ = re.sub(r"(?<=\\)\n.*", "", block).partition("\n$ ")
    return output.splitlines()[1:]


def assert_printed(lines: list[str], output: str) -> None:
    """Require lines in this order; `...` is other text, and versions of botocore are equal."""
    pattern = "\n".join(".*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") for line in lines)
    pattern = re.sub(r"(?<=botocore\\ )[\d.\\]+", r"[\\d.]+", pattern)
    assert re.search(pattern, output, re.DOTALL), output


def test_doctor(run: Run, account: Account) -> None:
    account.deny("elasticloadbalancing:DescribeRules")
    account.balancer["Scheme"] = "internal"

    assert_printed(quoted("ecs-hooks doctor my-cluster/my-service\n"), run("doctor", "my-cluster/my-service").output)


def test_validate(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (content,) = re.findall(r"^\$ echo '(.*)' > plan\.json$", TEXT, re.MULTILINE)
    (tmp_path / "plan.json").write_text(content)
    monkeypatch.chdir(tmp_path)
    result = run("validate", tmp_path / "plan.json")

    assert_printed(quoted("ecs-hooks validate plan.json"), result.output.replace(f"{tmp_path}/", ""))


def test_migrate(run: Run) -> None:
    appspec = ROOT / "examples" / "codedeploy" / "appspec-ecs.yaml"
    role = "arn:aws:iam::123456789012:role/ecs-hooks-invoke"
    result = run("migrate", appspec, "--account", "123456789012", "--region", "us-west-2", "--role-arn", role)

    assert_printed(quoted("ecs-hooks migrate appspec.yaml"), result.stderr)
