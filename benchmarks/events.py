"""The event of the benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def event(**hook_details: Any) -> dict[str, Any]:
    """Return the documented POST_TEST_TRAFFIC_SHIFT event with these `hookDetails`."""
    loaded: dict[str, Any] = json.loads((ROOT / "events" / "post_test_traffic_shift.json").read_text())
    return {**loaded, "hookDetails": hook_details}


UPLOAD = {
    "type": "http",
    "name": "upload",
    "method": "POST",
    "path": "/process",
    "multipart": {
        "file": {"filename": "test.txt", "content": "hello from a lifecycle hook", "content_type": "text/plain"},
        "description": "validation",
    },
    "expect": {"status": 200},
}
"""The upload of the news blog's sample, as a check of a plan."""
