from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import ROOT, Run
from tests.cli.report.document import Document


def test_the_demo_shows_a_pass_and_a_rollback(run: Run) -> None:
    result = run("demo")

    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert "version 1, starts behind a load balancer" in lines[0]
    for shown in (
        "stage        POST_TEST_TRAFFIC_SHIFT",
        "traffic    production listener: green",
        'check    PASS  http "upload" POST http://127.0.0.1:',
        'check    FAIL  http "upload" POST http://127.0.0.1:',
        "status 500, expected 2xx",
        "check    PASS  golden_signals",
        "0:21:00  deployment   SUCCESSFUL",
        "deployment   ROLLBACK_SUCCESSFUL  Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT",
        "SUCCESSFUL           as it should  a good green",
        "ROLLBACK_SUCCESSFUL  as it should  a broken green",
    ):
        assert shown in result.output
    assert '{"level"' not in result.output
    assert "_aws" not in result.output


def test_json_output_has_one_record_a_line(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--json", "--logs", tmp_path / "log")

    assert result.exit_code == 0
    records: list[dict[str, Any]] = [json.loads(line) for line in result.output.splitlines()]
    assert {"status-changed", "stage-entered", "traffic-shifted", "hook-answered", "check"} <= {
        each["kind"] for each in records
    }
    assert [each["status"] for each in records[-2:]] == ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL"]
    assert all(each["asExpected"] for each in records[-2:])
    assert '"verdict":"FAILED"' in (tmp_path / "log").read_text()


def test_another_end_than_expected_is_exit_status_1(run: Run, tmp_path: Path) -> None:
    handler = "def lambda_handler(event, context):\n    return {'hookStatus': 'FAILED'}\n"
    (tmp_path / "pre_scale_up.py").write_text(handler)

    result = run("demo", "--hooks", tmp_path)

    assert result.exit_code == 1
    assert "ROLLBACK_SUCCESSFUL  not SUCCESSFUL" in result.output


def test_the_report_has_both_deployments(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.html"
    result = run("demo", "--report", file)
    page = Document(file.read_text(encoding="utf-8"))

    assert result.exit_code == 0, result.output
    assert f"Report: {file}" in result.output
    assert list(page.mistakes()) == []
    assert page.texts("title")[0] == "SUCCESSFUL, ROLLBACK_SUCCESSFUL - my-service - ecs-hooks"
    for shown in (
        "Green serves",
        "Rolled back: blue serves",
        'POST_TEST_TRAFFIC_SHIFT, check http "upload"',
        "status 500, expected 2xx",
        "demo application 3",
        "latency (ms): ",
        "; limit 2,000",
        "slowest p99 (s): ",
        "Not counted: traffic of the test listener, ",
    ):
        assert shown in page.text
    # Ten requests a minute reach green; the last ones may count for the second deployment.
    requests = [int(each) for each in re.findall(r"requests (\d+) errors", page.text)]
    assert requests[0] >= 190


def test_a_closed_pipe_ends_it_without_a_message() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from ecs_hooks_cli import main; main()", "demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
