"""What the examples of every tool have to have in common."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from cfnlint.decode import cfn_yaml

from ecs_hooks.plan.model import Plan

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LAYOUTS = ["alb_test_port", "alb_test_header", "nlb", "service_connect"]
STAGE_OF = {
    "PostTestTrafficShift": "POST_TEST_TRAFFIC_SHIFT",
    "PreProductionTrafficShift": "PRE_PRODUCTION_TRAFFIC_SHIFT",
}
BASE_URL_OF = {
    "alb_test_port": r"http://[a-z0-9.-]+:8080",
    "alb_test_header": r"http://[a-z0-9.-]+",
    "nlb": r"http://[a-z0-9.-]+:8080",
    "service_connect": r"http://front\.example\.com",
}


class Hook(NamedTuple):
    """A lifecycle hook, whichever language it is written in."""

    function: str
    stages: list[str]
    details: Any
    timeout_in_minutes: int
    action: str


def stack() -> dict[str, Any]:
    """Return the project's own template: what the examples refer to."""
    template: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
    return template


def filled_in(text: str) -> str:
    """Put something in the place of what is known in AWS only, such as `${LoadBalancer.DNSName}`."""
    text = re.sub(r"\$\{(FrontUrl|var\.front_url)\}", "http://front.example.com", text)
    return re.sub(r"\$\{[^}]*\}", "lb.example.com", text)


def plain(layout: str) -> list[Any]:
    """Return the hookDetails of the AWS CLI's example, which are written out."""
    service = json.loads((EXAMPLES / "aws-cli" / f"{layout}.json").read_text())
    return [hook["hookDetails"] for hook in service["deploymentConfiguration"]["lifecycleHooks"]]


def assert_well_attached(layout: str, hooks: list[Hook]) -> None:
    """Hold the hooks of an example to what all of them promise."""
    assert hooks
    for hook in hooks:
        assert hook.stages == [STAGE_OF[hook.function]]
        plan = Plan.parse(hook.details)
        assert plan.explicit
        assert plan.checks
        assert re.fullmatch(BASE_URL_OF[layout], plan.policies.base_url or "")
        assert (hook.action, plan.policies.timeout_minutes < hook.timeout_in_minutes) == ("ROLLBACK", True)
    assert [hook.details["checks"] for hook in hooks] == [details["checks"] for details in plain(layout)]
