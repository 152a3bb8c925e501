"""`ecs-hooks check`: run a plan now, and show what a hook would answer and why."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import click
from rich.console import Console

from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks import Check, check_class
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import Stage
from ecs_hooks.engine.hook import Definition
from ecs_hooks.handler import LifecycleHandler
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.common.advice import advice, judges_traffic, shares, usual_of_last_week
from ecs_hooks_cli.common.live import JsonLines, hooks_shown_in
from ecs_hooks_cli.common.plans import fetch_plan, read_plan
from ecs_hooks_cli.common.service import (
    aws_error_text,
    aws_region,
    cluster_and_name,
    describe_deployment,
    describe_service,
    hook_event,
    running_deployment,
)

_NO_DEPLOYMENT = "arn:aws:ecs:{}:000000000000:{}/no-cluster/no-service/none"
"""ARN in the event where there is only an address."""

_ANY_REGION = "us-east-1"

_LAMBDA_SECONDS = 900
"""Lambda's longest function timeout."""

_EXIT = {"SUCCEEDED": 0, "FAILED": 1, "IN_PROGRESS": 3}
_STYLES = {"PASS": "green", "SUCCEEDED": "green", "FAIL": "red", "FAILED": "red", "ERROR": "red"}


@click.command()
@click.argument("plan", type=click.File(encoding="utf-8"))
@click.option("--url", help="Check this address, which is thereby allowed; no deployment is read.")
@click.option("--blue-url", help="With --url: blue's address, for checks that compare; allowed, too.")
@click.option("--service", metavar="CLUSTER/SERVICE", help="Check the running deployment of this service.")
@click.option("--deployment", metavar="ARN", help="Check this service deployment.")
@click.option(
    "--region", help="Region of the service, or with --url of the AWS calls. Default: that of the AWS configuration."
)
@click.option("--stage", type=click.Choice(list(Stage)), help="Run as at this stage. Default: that of the deployment.")
@click.option("--wait", is_flag=True, help="Repeat, as ECS would, until the answer is final.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(  # noqa: PLR0913 - one parameter an option
    *,
    plan: TextIO,
    url: str | None,
    blue_url: str | None,
    service: str | None,
    deployment: str | None,
    region: str | None,
    stage: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Run the checks of a PLAN now, from this machine, and show the answer.

    PLAN is a file with the JSON of hookDetails, - for standard input. The command only reads from AWS, and sends nothing
    to ECS. Exit status 0 where a hook would answer SUCCEEDED, 1 for FAILED, 3 for IN_PROGRESS.
    """
    configuration, parsed = read_plan(plan)
    if sum(each is not None for each in (url, service, deployment)) != 1:
        raise click.UsageError("give one of --url, --service and --deployment")
    if blue_url and not url:
        raise click.UsageError("--blue-url requires --url; in a deployment, set blue_url of the check")
    try:
        arn = None if url else _deployment(service, deployment, region)
        if parsed.policies.plan is not None:
            plan_region = aws_region(region) if arn is None else arn.region
            configuration, parsed = fetch_plan(plan, configuration, parsed.policies.plan, plan_region)
        if not parsed.checks:
            raise click.UsageError("the plan has no checks")
        if url and not blue_url and any(each.requirements().blue for each in parsed.checks):
            raise click.UsageError("the plan compares with blue: give --blue-url, or set blue_url of the check")
        fields = (
            _event_of(arn, stage)
            if arn
            else _event_of_url(str(url), blue_url, stage, _region_of_checks(parsed, region))
        )
    except FactError as error:
        sys.exit(f"ecs-hooks: {aws_error_text(error)}")
    details = _at(url, blue_url, configuration) if url else configuration
    view = JsonLines(sys.stdout) if as_json else _Lines(Console(file=sys.stdout, highlight=False, soft_wrap=True))
    for line in _advice(arn, parsed):
        view.write({"kind": "advice", "reason": f"ADVICE {line}"})
    handler = LifecycleHandler(Definition())
    while True:
        with hooks_shown_in(view, io.StringIO()):
            answer = handler({**fields, "hookDetails": details}, _Context())
        status = str(answer["hookStatus"])
        view.write({"kind": "answer", **{key: value for key, value in answer.items() if key != "hookDetails"}})
        if status != "IN_PROGRESS" or not wait:
            sys.exit(_EXIT[status])
        details = answer["hookDetails"]
        time.sleep(float(answer["callBackDelay"]))


def _advice(arn: EcsArn | None, plan: Plan) -> Iterator[str]:
    """Yield how long a comparison must watch, from the service's traffic of the last week, if a check depends on it."""
    if arn is None or not judges_traffic(plan.checks):
        return
    try:
        service = describe_service(f"{arn.cluster}/{arn.service}", arn.region)
        usual = usual_of_last_week(arn.region, service.load_balancing)
        if usual is not None:
            yield f"{usual}; how long a comparison must watch:"
            yield from advice(usual, shares(service.configuration)) if usual.requests else ()
    except FactError as error:
        yield f"the traffic of the last week is unknown: {aws_error_text(error)}"


class _Context:
    """In place of Lambda's context: an invocation with the longest timeout."""

    invoked_function_arn = ""

    def __init__(self) -> None:
        self._until = Deadline.after(_LAMBDA_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return int(self._until.remaining() * 1000)


class _Lines:
    """Readable lines."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def check(self, outcome: Mapping[str, Any]) -> None:
        """Show the outcome of a check."""
        self._line(str(outcome["message"]))

    def write(self, answer: Mapping[str, Any]) -> None:
        """Show the answer of the hook."""
        delay = f" (callBackDelay {answer['callBackDelay']})" if "callBackDelay" in answer else ""
        self._line(f"{answer['reason']}{delay}")

    def _line(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        self._console.print(word, style=_STYLES.get(word, "yellow"), end=" ", markup=False)
        self._console.print(rest, markup=False)


def _at(url: str, blue_url: str | None, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan with all checks at an address, whatever their listener, and blue at another one."""
    checks = [{name: value for name, value in each.items() if name != "listener"} for each in configuration["checks"]]
    for each in checks:
        if blue_url and "blue_url" in check_class(each["type"]).model_fields:
            each["blue_url"] = blue_url
    # An address has no service that the plan could be for.
    own = {name: value for name, value in configuration.items() if name != "service"}
    return {**own, "base_url": url, "checks": checks}


def _region_of_checks(plan: Plan, region: str | None) -> str:
    """Return the region of the checks' AWS calls where there is no deployment; any region if they name their own."""
    if region is not None or any(map(_calls_aws, plan.checks)):
        return aws_region(region)
    named = (each.region for check in plan.checks for each in check.requirements().signatures if each.region)
    return next(named, _ANY_REGION)


def _calls_aws(check: Check) -> bool:
    """Return whether a check makes AWS calls in the region of the deployment."""
    required = check.requirements()
    without_region = [
        *(each for each in required.secrets if each.needs_region),
        *(each for each in required.signatures if each.region is None),
    ]
    return bool(without_region) or (required.listener is None and not required.urls)


def _event_of_url(url: str, blue_url: str | None, stage: str | None, region: str) -> dict[str, Any]:
    # An address on the command line is meant, loopback included.
    hosts = [_host_of("--url", url), *([_host_of("--blue-url", blue_url)] if blue_url else [])]
    os.environ[VARIABLE] = ",".join(filter(None, [os.environ.get(VARIABLE), *hosts]))
    deployment, revision = (_NO_DEPLOYMENT.format(region, kind) for kind in ("service-deployment", "service-revision"))
    return hook_event(deployment, revision, stage or Stage.POST_TEST_TRAFFIC_SHIFT)


def _host_of(option: str, url: str) -> str:
    try:
        return Url.parse(url).host
    except RequestError:
        raise click.UsageError(f"{option} must begin with http:// or https:// and a host") from None


def _deployment(service: str | None, deployment: str | None, region: str | None) -> EcsArn:
    if deployment is not None:
        try:
            return EcsArn.parse(deployment, "service-deployment")
        except ValueError as error:
            raise click.UsageError(f"--deployment: {error}") from None
    found = running_deployment(*cluster_and_name(str(service)), aws_region(region))
    if found is None:
        sys.exit(f"ecs-hooks: {service} has no running deployment; give --url or --deployment")
    return found


def _event_of(arn: EcsArn, stage: str | None) -> dict[str, Any]:
    described = describe_deployment(arn)
    current = str(described.get("lifecycleStage"))
    shown = current if current in Stage.__members__ else Stage.POST_TEST_TRAFFIC_SHIFT
    return hook_event(str(arn), described["targetServiceRevision"]["arn"], stage or shown)
