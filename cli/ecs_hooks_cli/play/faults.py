"""Faults of green and CloudWatch alarms, as options of a command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.faults import Fault, FaultError, Stepped


def faults_of(values: Sequence[str], service: Stepped) -> list[Fault]:
    """Return the values of `--fault`, each of which comes into effect in a deployment of the service, or deployment group."""
    faults = []
    for value in values:
        try:
            fault = Fault.parse(value)
            fault.check(service)
        except FaultError as error:
            raise click.UsageError(f"--fault {value}: {error}") from error
        faults.append(fault)
    return faults


def alarms_of(values: Sequence[str], file: Path | None) -> list[MetricAlarm]:
    """Return the values of `--alarm`, and the alarms of the file of `--alarms`."""
    alarms = []
    for value in values:
        try:
            alarms.append(MetricAlarm.parse(value))
        except AlarmError as error:
            raise click.UsageError(f"--alarm: {error}") from error
    for parameters in _in_file(file) if file else ():
        try:
            alarms.append(MetricAlarm.read(parameters))
        except AlarmError as error:
            raise click.UsageError(f"--alarms {file}: {error}") from error
    return alarms


@contextmanager
def refusing_alarms() -> Iterator[None]:
    """Say which option is wrong where a simulation can't have an alarm."""
    try:
        yield
    except (AlarmError, EcsError) as error:
        raise click.UsageError(f"--alarm and --alarms: {error}") from error


def _in_file(file: Path) -> list[dict[str, Any]]:
    """Return the alarms of a file: parameters of PutMetricAlarm, a list of them, or what DescribeAlarms has answered."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"--alarms {file}: not JSON: {error}") from error
    if isinstance(value, dict) and "MetricAlarms" in value:
        value = value["MetricAlarms"]
    alarms = value if isinstance(value, list) else [value]
    if not alarms or not all(isinstance(alarm, dict) for alarm in alarms):
        raise click.UsageError(
            f"--alarms {file}: the parameters of PutMetricAlarm are expected, a list of them, or what DescribeAlarms answers"
        )
    return alarms
