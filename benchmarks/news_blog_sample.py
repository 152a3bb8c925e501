"""The baseline: a function like the sample of the AWS News blog, with one upload to green by urllib3.

It has the imports of that sample, sends the same kind of request and answers in the same way. It does not find green's
address, does not detect a rollback, and has no reason for a failure.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from typing import Any

import urllib3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

CONTENT = base64.b64decode(base64.b64encode(b"hello from a lifecycle hook"))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Upload a file to `APP_URL`, and succeed if the status is 200."""
    logger.info("event %s", json.dumps(event))
    http = urllib3.PoolManager()
    try:
        response = http.request(
            "POST",
            f"{os.environ['APP_URL']}/process",
            fields={"file": ("test.txt", CONTENT, "text/plain"), "description": "validation"},
            timeout=30,
        )
    except Exception:
        logger.exception("the request failed")
        return {"hookStatus": "FAILED"}
    return {"hookStatus": "SUCCEEDED" if response.status == 200 else "FAILED"}  # noqa: PLR2004 - as in the sample
