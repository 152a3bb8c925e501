"""All examinations of a service, hook by hook."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ecs_hooks.aws.errors import FactError
from ecs_hooks_cli.common.service import Service, is_pause
from ecs_hooks_cli.doctor import (
    blue,
    egress,
    endpoint,
    permissions,
    plan,
    reach,
    role,
    sdk,
    secrets,
    strategy,
    target,
)
from ecs_hooks_cli.doctor.attached import AttachedHook, Examined, Prepared
from ecs_hooks_cli.doctor.finding import Finding, examined, ok, unanswered
from ecs_hooks_cli.doctor.function import Function


class Part(NamedTuple):
    """What belongs together: the findings about one hook, or about the service.

    Parameters
    ----------
    name
        What it is about, for people.
    hook
        `hookTargetArn`; empty for the service, and for a PAUSE hook.
    stages
        The stages of the hook.
    findings
        The findings; each is made when it is taken.
    """

    name: str
    hook: str
    stages: tuple[str, ...]
    findings: Iterator[Finding]


def examine(service: Service, stages: Collection[str]) -> Iterator[Part]:
    """Examine a service and its hooks.

    Parameters
    ----------
    service
        The service.
    stages
        Only hooks at these stages; at any, where there are none.

    Raises
    ------
    FactError
        If AWS does not tell what every examination needs.
    """
    yield Part(f"{service.cluster}/{service.name}", "", (), _of_service(service, stages))
    whole = Examined(service)
    for hook in service.hooks:
        at = tuple(str(stage) for stage in hook.get("lifecycleStages") or [] if not stages or stage in stages)
        if not at:
            continue
        where = f"at {', '.join(at)}"
        if is_pause(hook):
            yield Part(f"PAUSE {where}", "", at, iter([ok("pause", "waits for somebody to go on; nothing to examine")]))
        else:
            found = AttachedHook(whole, {**hook, "lifecycleStages": list(at)})
            name = found.arn.name if found.arn else found.target
            yield Part(f"{name} {where}", found.target, at, _of_hook(found))


def _of_service(service: Service, stages: Collection[str]) -> Iterator[Finding]:
    yield from sdk.examine(*sdk.installed())
    yield from strategy.examine(service, stages)


def _of_hook(hook: AttachedHook) -> Iterator[Finding]:
    yield from target.examine_arn(hook)
    function: Function | None = None
    if hook.arn is not None:
        try:
            function = Function.ask(hook.arn)
        except FactError as trouble:
            if trouble.code == "ResourceNotFoundException":
                yield target.absent(hook)
            else:
                yield unanswered(
                    "function",
                    "how the function is configured, and with it permissions, endpoint and network,",
                    trouble,
                )
        else:
            yield from target.examine_function(function)
    yield from role.examine(hook)
    planned = plan.read(hook, function)
    yield from planned.findings
    if function is not None and planned.plans:
        yield from _of_function(Prepared(hook, function, planned.plans, planned.reference))


def _of_function(prepared: Prepared) -> Iterator[Finding]:
    yield from secrets.examine(prepared)
    yield from examined(permissions.SUBJECT, "what the checks need", permissions.examine(prepared))
    for stage, of_stage in prepared.plans.items():
        yield from examined(
            endpoint.SUBJECT, f"the address of green at {stage}", endpoint.examine(prepared, stage, of_stage)
        )
        yield from examined(
            endpoint.SUBJECT, f"the address of blue at {stage}", blue.examine(prepared, stage, of_stage)
        )
    yield from examined(reach.SUBJECT, "whether requests get there", reach.examine(prepared))
    yield from examined(egress.SUBJECT, "whether the function can call AWS", egress.examine(prepared))
