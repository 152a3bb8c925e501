from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator import EcsError, VirtualClock
from ecs_hooks_simulator.aws.alarm_evaluator import CloudWatchAlarms, State, state
from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm
from ecs_hooks_simulator.simulation import Simulation, demo_application
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

NAMES = ["api-5xx", "api-slow"]
ARN = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:"

# The tables of the CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
POINTS: dict[str, bool | None] = {"0": False, "X": True, "-": None}
KEPT = "Retain current state"
ALL_OK, ALL_ALARM = (("OK",) * 4, ("ALARM",) * 4)

THREE_OF_THREE = {
    "0 - X - X": ALL_OK,
    "0 - - - -": ALL_OK,
    "- - - - -": ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK"),
    "0 X X - X": ALL_ALARM,
    "- - X - -": ("ALARM", KEPT, "ALARM", "OK"),
    # From the text below the tables: the next datapoint may be OK.
    "- - - X -": ("OK", KEPT, "ALARM", "OK"),
    "- - - - X": ("OK", KEPT, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ALL_ALARM,
    "0 0 X 0 X": ALL_ALARM,
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", KEPT, "ALARM", "OK"),
}
ROWS = [
    (to_alarm, points, missing, expected)
    for to_alarm, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, row in table.items()
    for missing, expected in zip(TREATMENTS, row, strict=True)
]


class Metric:
    """Datapoints by the minute since the clock's beginning."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.began = self.clock.now()
        self.values: dict[int, float] = {}

    def measure(self, alarm: MetricAlarm, begin: float, end: float) -> dict[float, float]:
        series = {self.began + 60 * minute: value for minute, value in self.values.items()}
        return {stamp: value for stamp, value in series.items() if begin <= stamp < end}

    def alarms(self, **fields: Any) -> CloudWatchAlarms:
        alarm = MetricAlarm.parse("api: RequestCount Sum > 5").model_copy(update=fields)
        return CloudWatchAlarms([alarm], measure=self.measure, now=self.clock.now, arn=ARN)


def test_an_alarm_is_evaluated_at_the_end_of_a_period() -> None:
    metric = Metric()
    alarms = metric.alarms()
    metric.values = {0: 6, 1: 5}
    seen = []
    for _ in range(4):
        metric.clock.sleep(50)
        seen.append((alarms.states(["api", "other"]), [change.state for change in alarms.evaluate()]))

    assert seen == [({"api": "OK"}, []), ({"api": "OK"}, ["ALARM"]), ({"api": "ALARM"}, ["OK"]), ({"api": "OK"}, [])]
    assert alarms.names == ("api",)


def test_a_change_has_its_reason_and_time() -> None:
    metric = Metric()
    alarms = metric.alarms(evaluation_periods=2, datapoints_to_alarm=1)
    metric.values = {0: 6, 1: 2}
    metric.clock.sleep(120)
    (change,) = alarms.evaluate()
    (described,) = alarms.describe()

    assert tuple(change) == (
        "api",
        "OK",
        "ALARM",
        (
            "Threshold Crossed: 1 out of the last 2 datapoints [6, 2] was greater than the threshold (5) "
            "(minimum 1 for ALARM; OK -> ALARM)"
        ),
    )
    assert described["StateReason"] == change.reason
    assert described["StateUpdatedTimestamp"].timestamp() == metric.began + 120
    assert (described["AlarmArn"], described["Threshold"], described["StateValue"]) == (f"{ARN}api", 5, "ALARM")
    metric.values = {2: 1, 3: 1}
    metric.clock.sleep(120)
    assert alarms.evaluate()[0].reason.startswith(
        "Threshold Crossed: 2 out of the last 2 datapoints [1, 1] was not greater than the threshold (5)"
    )


def test_the_reason_counts_breaching_datapoints_that_are_too_few() -> None:
    metric = Metric()
    alarms = metric.alarms(evaluation_periods=2, treat_missing_data="missing")
    metric.values = {0: 6}
    metric.clock.sleep(60)

    assert [tuple(change)[1:] for change in alarms.evaluate()] == [
        (
            "INSUFFICIENT_DATA",
            "OK",
            (
                "Threshold Crossed: 1 out of the last 2 datapoints [6] was greater than the threshold (5) "
                "(minimum 2 for ALARM; INSUFFICIENT_DATA -> OK)"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("notBreaching", "OK"),
        ("breaching", "OK"),
    ],
)
@pytest.mark.parametrize("periods", [1, 3])
def test_the_first_state_lasts_until_there_is_data(missing: str, state: str, periods: int) -> None:
    metric = Metric()
    alarms = metric.alarms(treat_missing_data=missing, evaluation_periods=periods)
    before = alarms.states(["api"])
    metric.clock.sleep(30)

    assert alarms.evaluate() == []
    assert before == alarms.states(["api"]) == {"api": state}


@pytest.mark.parametrize("first", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_minutes_before_the_simulation_count_by_the_first_state(first: str) -> None:
    metric = Metric()
    alarms = metric.alarms(state_value=first, treat_missing_data="breaching", evaluation_periods=3)
    metric.values = {0: 6, 1: 6, 2: 6}
    seen = []
    for _ in range(3):
        metric.clock.sleep(60)
        seen.append([change.state for change in alarms.evaluate()])

    # The threshold is breached for three minutes; earlier minutes count by the first state.
    assert seen == {"OK": [[], [], ["ALARM"]], "ALARM": [[], [], []]}.get(first, [["ALARM"], [], []])


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("missing", "2 missing datapoints"), ("breaching", "2 missing datapoints treated as breaching")],
)
def test_the_reason_counts_missing_datapoints(missing: str, reason: str) -> None:
    metric = Metric()
    alarms = metric.alarms(treat_missing_data=missing, evaluation_periods=2)
    alarms.set_state("api", "OK", "by hand")
    metric.clock.sleep(600)

    assert [change.reason for change in alarms.evaluate()] == [reason]


def test_the_reason_of_one_missing_datapoint_is_singular() -> None:
    metric = Metric()
    alarms = metric.alarms(state_value="ALARM", treat_missing_data="missing")

    assert alarms.states(["api"]) == {"api": "ALARM"}
    assert alarms.describe()[0]["StateUpdatedTimestamp"].timestamp() < metric.began
    metric.clock.sleep(600)
    assert [change.reason for change in alarms.evaluate()] == ["1 missing datapoint"]


def test_a_state_set_by_hand_lasts_until_the_next_evaluation() -> None:
    metric = Metric()
    alarms = metric.alarms()
    alarms.set_state("api", "ALARM", "a drill")

    assert (alarms.states(["api"]), alarms.describe()[0]["StateReason"]) == ({"api": "ALARM"}, "a drill")
    assert [(change.state, change.reason) for change in alarms.evaluate()] == [
        ("OK", "Unchecked: as before the simulation began")
    ]
    with pytest.raises(KeyError):
        alarms.set_state("other", "OK")


def test_duplicate_names_are_refused() -> None:
    alarm = MetricAlarm.parse("api: RequestCount Sum > 5")

    with pytest.raises(AlarmError, match="alarm api: duplicate AlarmName"):
        CloudWatchAlarms([alarm, alarm], measure=Metric().measure, now=VirtualClock().now, arn=ARN)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize(("to_alarm", "points", "missing", "expected"), ROWS)
def test_every_cell_of_the_guides_tables(
    to_alarm: int, points: str, missing: str, expected: str, before: State
) -> None:
    found = state(
        [POINTS[point] for point in points.split()], periods=3, to_alarm=to_alarm, missing=missing, before=before
    )

    assert found == (before if expected == KEPT else expected)


@given(
    points=st.lists(st.booleans(), min_size=7, max_size=7),
    to_alarm=st.integers(1, 5),
    missing=st.sampled_from(TREATMENTS),
    before=st.sampled_from(State),
)
def test_without_missing_data_the_last_periods_count(
    points: list[bool], to_alarm: int, missing: str, before: State
) -> None:
    found = state(points, periods=5, to_alarm=to_alarm, missing=missing, before=before)

    assert found == (State.ALARM if sum(points[-5:]) >= to_alarm else State.OK)


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
    ("parameters", "names"),
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
def test_describe_alarms_filters(cloudwatch: Any, parameters: dict[str, Any], names: list[str]) -> None:
    answer = cloudwatch.describe_alarms(**parameters)

    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == names


def test_describe_alarms_has_state_and_time(simulation: Simulation, cloudwatch: Any) -> None:
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


def test_alarms_on_green_or_blue_count_their_own_requests() -> None:
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
    ("line", "message"),
    [
        ("a: ActiveConnectionCount Sum > 5", "metric ActiveConnectionCount is not supported"),
        ("a: RequestCount tm101 > 5", "statistic tm101 is not supported"),
    ],
)
def test_an_alarm_on_a_metric_without_support_is_refused(line: str, message: str) -> None:
    with pytest.raises(EcsError, match=message):
        Simulation(None, alarms=[MetricAlarm.parse(line)])
