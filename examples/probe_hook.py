"""A hook that shows what AWS does not document. For an account of your own; it checks nothing.

Attach it to a disposable service at the stages in question, with `hookDetails` such as

    {"probe": {"nested": {"first": 1}, "gone": true}, "polls": 2, "delay": 5}

and read its log: each invocation writes the unchanged event. With `polls` it answers IN_PROGRESS that many times,
each time with other `hookDetails`, so that the next event shows how ECS merged them. With `"answer": "FAILED"` it
fails after that, so that the log shows the events of a rollback. `docs/unknowns.md` lists what to look for.
"""

from __future__ import annotations

import json
from typing import Any


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Log the event, and answer according to `hookDetails`."""
    print(json.dumps({"probe": event}))
    details = event.get("hookDetails")
    details = details if isinstance(details, dict) else {}
    seen = int(details.get("seen", 0))
    if seen < int(details.get("polls", 0)):
        return {
            "hookStatus": "IN_PROGRESS",
            "callBackDelay": details.get("delay", 30),
            # "gone" is left out, "nested" gets a second key, "list" another length: the next event shows the merge.
            "hookDetails": {
                "seen": seen + 1,
                "polls": details["polls"],
                "delay": details.get("delay", 30),
                "answer": details.get("answer", "SUCCEEDED"),
                "probe": {"nested": {f"poll{seen}": 1}},
                "list": [seen],
                "padding": details.get("padding", 0),
                "filler": "x" * int(details.get("padding", 0)),
            },
        }
    return {"hookStatus": details.get("answer", "SUCCEEDED"), "reason": f"probe after {seen} polls"}
