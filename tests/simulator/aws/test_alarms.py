from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from ecs_hooks_simulator import EcsError
from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
from ecs_hooks_simulator.simulation import Simulation, demo_application
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

NAMES = ["api-5xx", "api-slow"]


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    alarms = [
        MetricAlarm.parse("api-5xx: HTTPCode_Target_5XX_Count Sum > 5"),
        MetricAlarm.parse("api-slow: TargetResponseTime p99 > 0.5").model_copy(update={"state_value": "ALARM"}),
    ]
    with Simulation(None, alarms=alarms) as made:
        yield made


@pytest.fixture
def cloudwatch(simulation: Simulation) -> Any:
    return boto3.client(
        "cloudwatch",
        endpoint_url=simulation.endpoint.url,
        region_name="us-west-2",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, NAMES),
        ({"AlarmNames": ["api-5xx", "unknown"]}, NAMES[:1]),
        ({"AlarmNamePrefix": "api-s"}, NAMES[1:]),
        ({"StateValue": "ALARM"}, NAMES[1:]),
        ({"AlarmTypes": ["CompositeAlarm", "MetricAlarm"]}, NAMES),
        ({"AlarmNames": NAMES, "AlarmTypes": ["CompositeAlarm"]}, []),
        ({"AlarmNames": ["unknown"]}, []),
        ({"AlarmNamePrefix": "unknown"}, []),
    ],
)
def test_alarms_are_described_as_they_are_asked_for(cloudwatch: Any, asked: dict[str, Any], names: list[str]) -> None:
    answer = cloudwatch.describe_alarms(**asked)

    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == names


def test_an_alarm_is_described_with_its_state_and_since_when(simulation: Simulation, cloudwatch: Any) -> None:
    simulation.alarms.set_state("api-5xx", "ALARM", "a drill")
    now = simulation.controller.clock.now()

    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["api-5xx"])["MetricAlarms"]

    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "a drill")
    assert alarm["StateUpdatedTimestamp"].timestamp() == alarm["StateTransitionedTimestamp"].timestamp() == now
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("HTTPCode_Target_5XX_Count", 5, 60)
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:us-west-2:123456789012:alarm:api-5xx"


def alarm_of(colour: str) -> MetricAlarm:
    stat = {
        "Metric": {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCount",
            "Dimensions": [{"Name": "TargetGroup", "Value": f"{{{colour}.target_group}}"}],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    metrics = [{"Id": "twice", "Expression": "2 * a"}, {"Id": "a", "MetricStat": stat, "ReturnData": False}]
    fields = {"AlarmName": colour, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold", "Metrics": metrics}
    return MetricAlarm.read(fields)


def test_alarms_of_green_and_of_blue_see_what_is_theirs() -> None:
    with Simulation(None, alarms=[alarm_of("green"), alarm_of("blue")]) as simulation:
        blue = simulation.controller.adopt(settings={"application": demo_application("1")})
        clock = simulation.controller.clock
        for revision, count in ((blue.arn, 3), ("other", 9)):
            for _ in range(count):
                simulation.balancer.note(Forwarded(clock.now(), "production", revision, 200, 0.1))
        clock.sleep(60)
        changes = [(change.alarm, change.state) for change in simulation.alarms.evaluate()]

    assert changes == [("blue", "ALARM")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a: ActiveConnectionCount Sum > 5", "does not measure ActiveConnectionCount"),
        ("a: RequestCount tm90 > 5", "does not know the statistic tm90"),
    ],
)
def test_an_alarm_over_what_is_not_measured_is_refused(line: str, says: str) -> None:
    with pytest.raises(EcsError, match=says):
        Simulation(None, alarms=[MetricAlarm.parse(line)])
