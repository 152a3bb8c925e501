from __future__ import annotations

from typing import Any

from ecs_hooks.aws.call import ask
from ecs_hooks.relay import Relay
from tests.support.aws import AwsApi
from tests.support.relays import one_left


def test_while_aws_is_asked_the_next_check_begins(aws: AwsApi) -> None:
    begun: list[str] = []
    seen: list[list[str]] = []

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        seen.append(list(begun))
        return {"taskArns": []}

    aws.answer("ListTasks", answer)
    relay: Relay = one_left(begun)

    assert relay.run(lambda: ask("ecs:ListTasks", "us-west-2", "taskArns")) == []
    assert seen == [["next"]]
