"""The documented answer to every sample event, as `events/README.md` tells it: AWS tells of a healthy service."""

from __future__ import annotations

import json
from pathlib import Path

EVENTS = Path(__file__).resolve().parents[2] / "events"

OTHER_ANSWERS = {
    "post_test_traffic_shift_hook_details": "IN_PROGRESS",
    "post_test_traffic_shift_in_progress": "FAILED",
    "post_test_traffic_shift_foreign_hook_details": "FAILED",
    "post_test_traffic_shift_string_hook_details": "FAILED",
    "unknown_stage": "FAILED",
}
"""Every event that is not answered SUCCEEDED."""

NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))


def answer_to(name: str) -> str:
    """Return the hook status that answers a sample event where every check passes."""
    return OTHER_ANSWERS.get(name, "SUCCEEDED")


def answer_of_function(name: str) -> str:
    """Return the hook status with which the function of its stage answers a sample event."""
    return "IN_PROGRESS" if name == "post_production_traffic_shift" else answer_to(name)


def function_for(name: str) -> str:
    """Return the logical id of the function for the stage of a sample event; any will do for an unknown stage."""
    stage = json.loads((EVENTS / f"{name}.json").read_text())["lifecycleStage"]
    return "PostProductionTrafficShift" if stage == "POST_BAKE_TIME" else stage.title().replace("_", "")
