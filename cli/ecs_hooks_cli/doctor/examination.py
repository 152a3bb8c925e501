"""All examinations of a service and its hooks, in the order of their findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks_cli.common.service import Service, is_pause
from ecs_hooks_cli.doctor import aws_access, endpoint, function, network, permissions, plan, secrets, service, traffic
from ecs_hooks_cli.doctor.attached_hook import AttachedHook, ExaminedService, PlannedHook
from ecs_hooks_cli.doctor.finding import Finding, Subject
from ecs_hooks_cli.doctor.function import Function


class Section(NamedTuple):
    """The findings about one hook, or about the service.

    Parameters
    ----------
    name
        Its heading.
    hook
        `hookTargetArn`; empty for the service and for a PAUSE hook.
    stages
        The stages of the hook.
    findings
        The findings; AWS is called while they are consumed.
    """

    name: str
    hook: str
    stages: tuple[str, ...]
    findings: Iterator[Finding]


def examine(described: Service, stages: Collection[str]) -> Iterator[Section]:
    """Examine a service and its hooks; if `stages` is not empty, only hooks at these.

    Raises
    ------
    FactError
        If AWS does not return what every examination requires.
    """
    yield Section(f"{described.cluster}/{described.name}", "", (), _of_service(described, stages))
    examined = ExaminedService(described)
    for hook in described.hooks:
        at = tuple(str(stage) for stage in hook.get("lifecycleStages") or [] if not stages or stage in stages)
        if not at:
            continue
        where = f"at {', '.join(at)}"
        if is_pause(hook):
            waits = Subject("pause").ok("waits for ContinueServiceDeployment; nothing to examine")
            yield Section(f"PAUSE {where}", "", at, iter([waits]))
        else:
            found = AttachedHook(examined, {**hook, "lifecycleStages": list(at)})
            name = found.arn.name if found.arn else found.target
            yield Section(f"{name} {where}", found.target, at, _of_hook(found))


def _of_service(described: Service, stages: Collection[str]) -> Iterator[Finding]:
    yield from service.examine_sdk(*service.installed_sdk())
    yield from service.examine_service(described, stages)
    yield from service.examine_rollbacks(described)


def _of_hook(hook: AttachedHook) -> Iterator[Finding]:
    yield from function.examine_arn(hook.target, hook.arn, hook.examined.arn)
    found: Function | None = None
    if hook.arn is not None:
        try:
            found = Function.describe(hook.arn)
        except FactError as failed:
            if failed.code == "ResourceNotFoundException":
                yield function.missing(hook.target)
            else:
                fact = "the function's configuration, so permissions, endpoint and network are not examined"
                yield function.SUBJECT.aws_failed(fact, failed)
        else:
            yield from function.examine_configuration(found)
    yield from permissions.examine_role(hook)
    read = plan.read(hook, found)
    yield from read.findings
    if found is not None and read.plans:
        yield from _of_planned(PlannedHook(hook, found, read.plans, read.reference))


def _of_planned(hook: PlannedHook) -> Iterator[Finding]:
    yield from secrets.examine(hook)
    yield from permissions.SUBJECT.or_unknown("the permissions that the checks require", permissions.examine(hook))
    for stage, at_stage in hook.plans.items():
        green, blue = endpoint.examine_green(hook, stage, at_stage), endpoint.examine_blue(hook, stage, at_stage)
        yield from endpoint.SUBJECT.or_unknown(f"the address of green at {stage}", green)
        yield from endpoint.SUBJECT.or_unknown(f"the address of blue at {stage}", blue)
    yield from traffic.SUBJECT.or_unknown("the traffic of the service", traffic.examine(hook))
    yield from network.SUBJECT.or_unknown("whether requests reach their targets", network.examine(hook))
    yield from aws_access.SUBJECT.or_unknown("whether the function can call AWS", aws_access.examine(hook))
