"""The report in a browser."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecs_hooks_cli.commands import ecs_hooks
from ecs_hooks_cli.report.page import page_of
from tests.browser.browser import Page
from tests.cli.conftest import ROOT
from tests.cli.report.test_page import PLAYS

pytestmark = pytest.mark.e2e

WIDE, NARROW = 1280, 360

UNREADABLE = """
(() => {
  const luminance = rgb => rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const paper = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || element.closest('svg') || !element.checkVisibility()) continue;
    const [low, high] = [luminance(parse(getComputedStyle(element).color).slice(0, 3)), luminance(paper(element))]
      .sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return found;
})()
"""
"""Texts with too little contrast (WCAG, level AA)."""

STICKING_OUT = """
[...document.body.querySelectorAll('*')]
  .filter(each => each.checkVisibility() && !each.closest('.scroll') && !each.closest('thead'))
  .filter(each => { const box = each.getBoundingClientRect();
    return box.width && (box.right > document.documentElement.clientWidth + 1 || box.left < -1); })
  .map(each => `${each.tagName}.${each.getAttribute('class')} ${each.textContent.slice(0, 30)}`)
"""
"""Elements outside of the width of the page, and not in a box that scrolls."""

OVERLAPS = """
(() => {
  const found = [];
  for (const picture of document.querySelectorAll('svg[role=img], svg[aria-hidden]')) {
    const boxes = [...picture.querySelectorAll('text')].filter(each => each.checkVisibility())
      .map(each => [each.textContent, each.getBoundingClientRect()]).filter(([, box]) => box.width);
    boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 3) found.push(`${one} | ${other}`);
    }));
  }
  return found;
})()
"""
"""Overlapping texts in a chart."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the demo: a success and a rollback, with users and real hooks."""
    file = tmp_path_factory.mktemp("report") / "demo.html"
    hooks = ROOT / "hooks"
    result = CliRunner().invoke(ecs_hooks, ["demo", "--report", str(file), "--hooks", str(hooks)])
    assert result.exit_code == 0, result.output
    return file


@pytest.fixture(params=["success", "rollback", "linear", "twice", "troubles", "others", "hostile"])
def played(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(page_of([PLAYS[request.param]()]), encoding="utf-8")
    return file


def assert_fine(page: Page, file: Path, tmp_path: Path, *, width: int, dark: bool) -> None:
    """Open a file: its content fits into the width, is readable, and loads nothing."""
    page.open(file, width=width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(UNREADABLE) == []
    assert page.evaluate(OVERLAPS) == []
    assert [each["request"]["url"] for each in page.events_of("Network.requestWillBeSent")] == [file.as_uri()]
    assert (
        page.events_of("Runtime.exceptionThrown")
        == page.events_of("Runtime.consoleAPICalled")
        == page.events_of("Log.entryAdded")
        == []
    )
    picture = tmp_path / "picture.png"
    page.screenshot(picture)
    assert struct.unpack(">II", picture.read_bytes()[16:24])[1] > 1000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_of_the_demo(page: Page, file: Path, tmp_path: Path, width: int, dark: bool) -> None:
    assert_fine(page, file, tmp_path, width=width, dark=dark)

    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(18, 22, 28)" if dark else "rgb(255, 255, 255)")
    assert page.evaluate("document.title") == "SUCCESSFUL, ROLLBACK_SUCCESSFUL - my-service - ecs-hooks"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_of_a_deployment(page: Page, played: Path, tmp_path: Path, width: int) -> None:
    assert_fine(page, played, tmp_path, width=width, dark=width == NARROW)


def test_charts_have_the_same_horizontal_position(page: Page, file: Path) -> None:
    page.open(file)
    places = page.evaluate(
        """[...document.querySelectorAll('#deployment-1 .lane > svg, #deployment-1 .axis-row > svg, #deployment-1 .gridlines')]
           .map(each => [Math.round(each.getBoundingClientRect().left), Math.round(each.getBoundingClientRect().right)])"""
    )

    assert len({tuple(place) for place in places}) == 1


def test_charts_have_labels_for_screen_readers(page: Page, file: Path) -> None:
    page.open(file)
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    pictures = [each for each in nodes if each.get("role", {}).get("value") in {"image", "img"} and not each["ignored"]]
    names = [each["name"]["value"] for each in pictures]

    assert all(names)
    assert "POST_TEST_TRAFFIC_SHIFT: at 0:00:00, no time; 1 FAILED" in names
    assert "production listener: blue 100 %, then green 100 %" in names
    headers = [each for each in nodes if each.get("role", {}).get("value") == "columnheader" and not each["ignored"]]
    assert headers


def test_tables_stay_tables_on_a_narrow_page(page: Page, file: Path) -> None:
    page.open(file, width=NARROW)
    page.call("Accessibility.enable")
    roles = [each.get("role", {}).get("value") for each in page.call("Accessibility.getFullAXTree")["nodes"]]

    assert {"table", "row", "cell", "columnheader"} <= set(roles)


def test_the_policy_blocks_scripts(page: Page, tmp_path: Path) -> None:
    # The page has no script; its policy would block one.
    file = tmp_path / "page.html"
    html = page_of([PLAYS["success"]()])
    file.write_text(
        html.replace("<body>", "<body><script>document.title = 'run'</script><img src=x.png>"), encoding="utf-8"
    )
    page.open(file)

    assert page.evaluate("document.title") != "run"
    assert "script-src" in json.dumps(page.events_of("Log.entryAdded"))
    assert {each["blockedReason"] for each in page.events_of("Network.loadingFailed")} <= {"csp"}


def test_collapsed_parts_are_printed(page: Page, file: Path) -> None:
    hidden = (
        "[...document.querySelectorAll('details:not([open]) table')].filter(each => !each.checkVisibility()).length"
    )
    page.open(file)
    on_screen = page.evaluate(hidden)
    page.call("Emulation.setEmulatedMedia", media="print")
    printed = page.evaluate(hidden)
    page.call("Emulation.setEmulatedMedia", media="")

    assert on_screen > printed == 0
