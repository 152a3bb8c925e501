from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecs_hooks import Stage
from ecs_hooks.core.measurement import Watch
from ecs_hooks_cli.report import page
from ecs_hooks_cli.report.page import page_of
from ecs_hooks_cli.report.recording import Play
from ecs_hooks_simulator import LifecycleHook, ServiceDeployment, Strategy
from ecs_hooks_simulator.traffic.load_balancer import Forwarded
from tests.cli.report.document import Document
from tests.cli.report.recorded import Wave, checked, forwarded, recorded, troubles
from tests.cli.report.test_event_log import surprises
from tests.simulator.plays import FAILED, IN_PROGRESS, Gate

HOSTILE = (
    "</style></title><script>alert('x')</script><img src=//evil.example/x onerror=alert(1)>\" onload=\"x & {{ 7 * 7 }}"
)


def users(deployment: ServiceDeployment) -> list[Forwarded]:
    blue = forwarded(deployment.sources[0].arn, 0.010, 0.012, 0.015, 0.030)
    green = forwarded(deployment.target.arn, 0.011, 0.020, 0.100)
    return [*blue, *green, *forwarded(deployment.target.arn, 0.5, status=500), *forwarded("x", 1.0, listener="test")]


def watched(name: str = "a", minutes: int = 10, high: float = 100) -> Wave:
    return Wave(name=name, high=high, watch=Watch(for_minutes=minutes, interval_seconds=60, failure_limit=2))


PLAYS: dict[str, Callable[[], Play]] = {
    "success": lambda: recorded(checked(watched()), requests=users),
    "rollback": lambda: recorded(
        checked(watched(high=200), stage=Stage.POST_PRODUCTION_TRAFFIC_SHIFT),
        requests=users,
        expected="ROLLBACK_SUCCESSFUL",
    ),
    "first deployment": lambda: recorded(checked(Wave()), first=True),
    "rollback of a first deployment": lambda: recorded(Gate(FAILED).at(), first=True),
    "linear": lambda: recorded(
        checked(Wave(), stage=Stage.PRE_PRODUCTION_TRAFFIC_SHIFT), strategy=Strategy.LINEAR, requests=users
    ),
    "raises": lambda: recorded(Gate(ValueError(HOSTILE)).at()),
    "nonsense": lambda: recorded(Gate({"hookStatus": HOSTILE}, ["x"]).at()),
    "pause": lambda: recorded(LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=3)),
    "no hooks": recorded,
    "twice": lambda: recorded(checked(Wave(), Wave(high=50))),
    "troubles": lambda: recorded(prepare=troubles),
    "others": lambda: recorded(prepare=surprises(5, 6, words=HOSTILE)),
    "hostile": lambda: recorded(
        checked(Wave(name=HOSTILE[:80], watch=Watch(for_minutes=2))),
        Gate({**FAILED, "reason": HOSTILE}).at(),
        name=HOSTILE,
    ),
}


def document(*plays: Play) -> Document:
    return Document(page_of(plays))


@pytest.mark.parametrize("name", PLAYS)
def test_a_page_is_sound_and_loads_nothing(name: str) -> None:
    found = document(PLAYS[name]())

    assert list(found.mistakes()) == []
    assert found.of("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.of("meta")
    (policy,) = [each["content"] for each in found.of("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_verdict_is_at_the_top_with_what_was_played() -> None:
    found = document(PLAYS["rollback"]())

    assert found.texts("title")[0] == "ROLLBACK_SUCCESSFUL - my-service - ecs-hooks"
    assert found.texts("h1") == ["Simulated deployment of my-service"]
    for shown in (
        "Rolled back: blue serves",
        "as expected",
        "Service deployment rolled back because POST_PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed.",
        'POST_PRODUCTION_TRAFFIC_SHIFT, check wave "a"',
        "expected at most 150 (failure_limit 2)",
        "BLUE_GREEN: all at once; bake time 15 minutes",
    ):
        assert found.text.index(shown) < found.text.index("Stages, hooks and traffic over time")
    assert "not as expected" in document(PLAYS["rollback of a first deployment"]()).text


def test_all_numbers_are_in_tables() -> None:
    found = document(PLAYS["success"]())
    cells = found.texts("td")

    assert {"0:00:00 to 0:09:00", "50 to 89.2", "1 to 10"} <= set(cells)
    assert {"requests", "errors", "p50", "p95", "p99", "closed or no response"} <= set(found.texts("th"))
    assert {"12 ms", "20 ms", "1 (25 %)", "100 %"} <= set(cells)
    assert "POST_SCALE_UP" in cells
    assert "1 request to" not in found.text  # the test listener's request went to another revision


def test_reasons_are_escaped() -> None:
    for name in ("hostile", "raises", "others"):
        found = document(PLAYS[name]())
        assert HOSTILE in found.text, name
        assert "49" not in re.findall(r"x & (\S+)", found.text)
    shown = document(PLAYS["hostile"]())
    assert HOSTILE in shown.texts("h2")
    assert any(HOSTILE[:80] in each for each in shown.texts("strong"))


def test_hook_details_are_not_on_the_page() -> None:
    answer = {**IN_PROGRESS, "reason": "waits", "hookDetails": {"state": "hunter2-returned"}}
    hook = Gate(answer, FAILED).at(hook_details={"checks": [], "headers": {"Authorization": "hunter2-configured"}})
    html = page_of([recorded(hook)])

    assert "waits" in html
    assert "hunter2" not in html


def test_several_deployments_are_on_one_page() -> None:
    found = document(recorded(name="good"), recorded(Gate(FAILED).at(), name="bad"))

    assert list(found.mistakes()) == []
    assert found.texts("title")[0] == "SUCCESSFUL, ROLLBACK_SUCCESSFUL - my-service - ecs-hooks"
    assert found.texts("h1") == ["2 simulated deployments of my-service"]
    assert [each["href"] for each in found.of("a")] == ["#deployment-1", "#deployment-2"]
    assert found.texts("h2") == ["good", "bad"]


def test_missing_data_is_stated() -> None:
    found = document(recorded(first=True)).text

    assert "No answers of checks were recorded" in found
    assert "Green received no requests through the production listener during this deployment." in found
    assert "No hook was invoked." in found
    assert "Blue and green received no requests" in document(recorded()).text


def test_checks_of_one_name_are_explained() -> None:
    assert "Several checks have this name" in document(PLAYS["twice"]()).text


def test_failures_are_expanded_and_quick_passes_are_not() -> None:
    checks = [checked(*(Wave(name=str(each), high=500 if each == 3 else 50) for each in range(5)))]
    opened = ["open" in each for each in document(recorded(*checks)).of("details") if each.get("class") == "check"]

    assert opened.count(True) == 1


def test_the_page_of_a_day_of_polls_is_small() -> None:
    watch = Watch(for_minutes=1430, interval_seconds=30)
    plan = {"timeout_minutes": 1440}
    hook = checked(Wave(name="a", watch=watch), stage=Stage.PRE_SCALE_UP, hook_details=plan)
    play = recorded(hook, Gate(IN_PROGRESS).at("POST_SCALE_UP", timeout_action="CONTINUE"))
    html = page_of([play])
    found = Document(html)

    assert sum(record.kind == "hook-answered" for _, record in play.records) == 2861 + 2880
    assert list(found.mistakes()) == []
    assert len(html) < 200_000
    assert "\N{MULTIPLICATION SIGN} 2,860" in found.text
    assert "2,880 IN_PROGRESS" in found.text


def test_a_page_of_very_many_checks_stays_within_bounds() -> None:
    play = recorded(checked(*(Wave(name=str(each), watch=Watch(for_minutes=5)) for each in range(50))))
    html = page_of([play])

    assert len(html) < 50 * 15_000
    assert "open" not in {name for each in Document(html).of("details") for name in each}


def test_the_footer_has_the_time() -> None:
    html = page_of([recorded()], datetime(2026, 11, 21, 14, 30, tzinfo=UTC))

    assert "on 2026-11-21 14:30 UTC" in html


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


SCHEMES = [
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", (Path(page.__file__).parent / "page.css").read_text(), re.DOTALL)
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark", "print"])
def test_colours_have_enough_contrast(scheme: dict[str, str]) -> None:
    assert len(SCHEMES) == 3
    assert set(scheme) == set(SCHEMES[0])
    texts = [(ink, paper) for ink in ("ink", "soft", "bad", "waits", "odd", "blue") for paper in ("page", "surface")]
    texts += [
        ("ink", "blue-area"),
        ("ink", "green-area"),
        ("ink", "other-area"),
        ("inverse", "ink"),
        ("inverse", "bad"),
    ]
    texts += [("inverse", "odd")]
    lines = [("blue", "page"), ("green", "page"), ("waits", "bar"), ("waits", "page"), ("bad", "page"), ("ink", "bar")]

    assert [(pair, contrast(*(scheme[each] for each in pair))) for pair in texts if _too_low(scheme, pair, 4.5)] == []
    assert [(pair, contrast(*(scheme[each] for each in pair))) for pair in lines if _too_low(scheme, pair, 3.0)] == []


def _too_low(scheme: dict[str, str], pair: tuple[str, str], least: float) -> bool:
    return contrast(scheme[pair[0]], scheme[pair[1]]) < least
