"""Whatever AppSpec and deployment group there are, ECS's API takes what comes of them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks_cli.migrate.appspec import read_appspec
from ecs_hooks_cli.migrate.codedeploy_settings import PREDEFINED_CONFIGURATIONS, read_group, read_traffic_shift
from ecs_hooks_cli.migrate.hooks import FunctionDefaults, HookSettings
from ecs_hooks_cli.migrate.update_service import Kind, migration
from tests.cli.migrate.test_command import ARN, ROLE, mistakes

NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,20})?", fullmatch=True)
FUNCTIONS = NAMES | NAMES.map(lambda name: f"{ARN}{name}")
HOOKS = st.lists(st.tuples(st.sampled_from(list(STAGES)), FUNCTIONS).map(lambda pair: {pair[0]: pair[1]}), max_size=6)
IDS = st.lists(st.from_regex(r"(subnet|sg)-[0-9a-f]{8}", fullmatch=True), min_size=1, max_size=3)
PROPERTIES = st.fixed_dictionaries(
    {"TaskDefinition": st.just("<TASK_DEFINITION>")},
    optional={
        "LoadBalancerInfo": st.fixed_dictionaries({"ContainerName": NAMES, "ContainerPort": st.integers(1, 65_535)}),
        "PlatformVersion": st.sampled_from(["LATEST", "1.4.0"]),
        "NetworkConfiguration": st.fixed_dictionaries(
            {
                "AwsvpcConfiguration": st.fixed_dictionaries(
                    {"Subnets": IDS},
                    optional={"SecurityGroups": IDS, "AssignPublicIp": st.sampled_from(["ENABLED", "DISABLED"])},
                )
            }
        ),
        "CapacityProviderStrategy": st.lists(
            st.fixed_dictionaries(
                {"CapacityProvider": NAMES}, optional={"Base": st.integers(0, 100_000), "Weight": st.integers(0, 1_000)}
            ),
            max_size=3,
        ),
    },
)
MINUTES = st.integers(0, 2_880)
GROUPS = st.fixed_dictionaries(
    {},
    optional={
        "ecsServices": st.lists(st.fixed_dictionaries({"serviceName": NAMES, "clusterName": NAMES}), max_size=2),
        "alarmConfiguration": st.fixed_dictionaries(
            {"enabled": st.booleans(), "alarms": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2)}
        ),
        "autoRollbackConfiguration": st.fixed_dictionaries(
            {
                "enabled": st.booleans(),
                "events": st.lists(st.sampled_from(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"])),
            }
        ),
        "blueGreenDeploymentConfiguration": st.fixed_dictionaries(
            {},
            optional={
                "terminateBlueInstancesOnDeploymentSuccess": st.fixed_dictionaries(
                    {"terminationWaitTimeInMinutes": MINUTES}
                ),
                "deploymentReadyOption": st.fixed_dictionaries(
                    {
                        "actionOnTimeout": st.sampled_from(["CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"]),
                        "waitTimeInMinutes": MINUTES,
                    }
                ),
            },
        ),
    },
)


@given(HOOKS, PROPERTIES, GROUPS, st.sampled_from(PREDEFINED_CONFIGURATIONS), st.integers(1, 1_440))
def test_every_migration_is_a_valid_input_of_update_service(
    hooks: list[dict[str, str]], properties: dict[str, Any], group: dict[str, Any], config: str, minutes: int
) -> None:
    target = {"Type": "AWS::ECS::Service", "Properties": properties}
    text = json.dumps({"version": 0.0, "Resources": [{"TargetService": target}], "Hooks": hooks})
    attachment = HookSettings(ROLE, FunctionDefaults(prefix=ARN), {"AfterInstall": {"checks": []}}, minutes)

    made = migration(
        read_appspec(text), read_group(StringIO(json.dumps(group))), read_traffic_shift(config), attachment
    )

    assert mistakes(made.update) == []
    configuration = made.update["deploymentConfiguration"]
    assert 0 <= configuration["bakeTimeInMinutes"] <= 1_440
    lambdas = [each for each in configuration["lifecycleHooks"] if each["targetType"] == "AWS_LAMBDA"]
    assert [each["lifecycleStages"] for each in lambdas] == [[str(STAGES[event])] for hook in hooks for event in hook]
    # Nothing of the AppSpec goes by without a word.
    texts = {note.subject for note in made.notes}
    assert {event for hook in hooks for event in hook} | set(properties) - {"LoadBalancerInfo"} <= texts
    missing = any(note.kind is Kind.TO_DO and note.subject == "service" for note in made.notes)
    assert ("service" in made.update) is not missing
