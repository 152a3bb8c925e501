from __future__ import annotations

from datetime import UTC, datetime

from ecs_hooks.core import clock
from tests.cli.account import Account
from tests.cli.conftest import Doctor


def measured(account: Account, requests: float) -> None:
    begin = clock.now() // 3600 * 3600
    stamps = [datetime.fromtimestamp(begin - 3600 * (hour + 1), UTC) for hour in range(168)]
    series = {"Id": "requests_0_0", "Timestamps": stamps, "Values": [requests] * 168, "StatusCode": "Complete"}
    account.aws.answer("GetMetricData", {"MetricDataResults": [series]})


def test_the_traffic_of_the_last_week_says_how_long_to_watch(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "golden_signals"})
    doctor()

    (traffic, advice) = doctor.of("traffic")
    assert traffic == (
        "ok",
        "600 requests a minute in the median hour of the last week, 0 % errors; how long a comparison must watch:",
    )
    assert advice[1].startswith(
        'after the last step, with baseline "previous" (green 600 and blue 600 requests a minute)'
    )


def test_a_quiet_service_is_a_warning(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "golden_signals", "name": "users"})
    measured(account, 0)
    doctor()

    assert doctor.of("traffic") == [
        (
            "warning",
            'most hours of the last week had no requests: golden_signals "users" may have nothing to judge',
        )
    ]


def test_a_plan_without_such_checks_reads_no_traffic(doctor: Doctor, account: Account) -> None:
    doctor()

    assert doctor.of("traffic") == []
    assert not account.aws.calls["GetMetricData"]


def test_unknown_traffic_is_no_traffic_in_order(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "golden_signals"})
    account.aws.error("GetMetricData", "AccessDenied", 403)
    doctor()

    ((level, text),) = doctor.of("traffic")
    assert level == "unknown"
    assert text.startswith("cannot determine the traffic of the service: cloudwatch:GetMetricData")


def test_a_service_without_a_load_balancer_has_no_traffic(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "golden_signals"})
    account.service["loadBalancers"] = []
    doctor()

    assert doctor.of("traffic") == []
