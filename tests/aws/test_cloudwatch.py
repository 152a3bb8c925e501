from __future__ import annotations

from datetime import UTC, datetime

from ecs_hooks.aws.cloudwatch import _merged


def test_a_value_that_is_not_a_number_is_missing_data() -> None:
    stamps = [datetime.fromtimestamp(at, UTC) for at in (60, 120)]

    series = _merged(None, {"Timestamps": stamps, "Values": [float("nan"), 5.0], "StatusCode": "Complete"})

    assert series.values(0, 180) == [5.0]
