"""100,000 payloads that ECS and CodeDeploy would never send, or might send one day."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import Any

import pytest

from ecs_hooks import Hook, Outcome, Stage, lifecycle_hook, stage_hook
from ecs_hooks.engine.telemetry import logger
from tests.conftest import EcsApi, load_event
from tests.fuzz.mutation import SCRAPS, mutated, seeded
from tests.support.answers import EVENTS, NAMES

PAYLOADS = 100_000
PARTS = 10

CHECKS = [{"type": "http", "name": name, "path": f"/{name}", "connect_retries": 0} for name in ("health", "upload")]
EVENT_SCRAPS: list[Any] = [
    *SCRAPS, "ROLLBACK", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "arn:aws:ecs:a:1:service/x",
    "arn:aws:ecs:a:1:service-revision/a/b/c", "arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/other/abc",
    {"checks": [{"type": "http", "url": "http://127.0.0.1:9/", "connect_retries": 0}]}, {"a": 1}, {"mode": "observe"},
    {"timeout_minutes": 1e-9}, {"error_limit": 1}, {"first_deployment": "skip"}, {"checks": None},
    {"ecsHooks": {"version": 1, "step": "", "startedAt": 0, "attempt": 1, "expiresAt": 0, "checks": "x"}},
]  # fmt: skip


class ShortOfTime:
    """A context that leaves no time for long waits."""

    def get_remaining_time_in_millis(self) -> int:
        return 500


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_payload_raises_and_every_answer_is_valid(part: int, ecs: EcsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")

    @lifecycle_hook
    def own(hook: Hook) -> Outcome | None:
        return None if hook.details.get("a") is None else hook.wait("for it")

    handlers = {str(stage): stage_hook(stage) for stage in Stage}
    events = [load_event(name) for name in NAMES]
    for event in events:
        # Names that have to be looked up, and further attempts, would only slow this down.
        if isinstance(event.get("hookDetails"), dict) and "base_url" in event["hookDetails"]:
            event["hookDetails"] |= {"base_url": "http://127.0.0.1:9", "checks": CHECKS}
    events += [json.loads(path.read_text()) for path in (EVENTS / "codedeploy").glob("*.json")]
    chance = seeded("events", part)
    level = logger.log_level
    logger.setLevel("CRITICAL")
    statuses = dict.fromkeys(("SUCCEEDED", "FAILED", "IN_PROGRESS"), 0)
    try:
        with redirect_stdout(io.StringIO()) as printed:
            for number in range(PAYLOADS // PARTS):
                original = chance.choice(events)
                event = mutated(original, chance, EVENT_SCRAPS)
                handler = own if chance.random() < 0.3 else handlers.get(original.get("lifecycleStage", ""), own)
                answer = handler(event, ShortOfTime())
                assert valid(answer), (event, answer)
                statuses[answer["hookStatus"]] += 1
                if number % 1000 == 0:
                    printed.seek(0)
                    printed.truncate()
    finally:
        logger.setLevel(level)
    # The mutations reach past the first error: every answer is given often.
    assert min(statuses.values()) > PAYLOADS // PARTS // 500, statuses


def valid(answer: Any) -> bool:
    json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    delay = answer.get("callBackDelay")
    return (
        set(answer) <= {"hookStatus", "callBackDelay", "hookDetails", "reason"}
        and answer["hookStatus"] in {"SUCCEEDED", "FAILED", "IN_PROGRESS"}
        and (delay is None) == (answer["hookStatus"] != "IN_PROGRESS")
        and (delay is None or (type(delay) is int and 1 <= delay <= 86_400))
        and (delay is None or len(json.dumps(answer["hookDetails"]["ecsHooks"])) <= 4096)
        and isinstance(answer["reason"], str)
        and answer["reason"].isprintable()
    )
