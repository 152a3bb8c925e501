"""The checks of a plan and the code of a hook, run within the deadline of their context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.deadline import run_with_deadline
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.own_limits import OwnLimitError
from ecs_hooks.core.state import key_of
from ecs_hooks.engine.hook import LABEL, run_hook_function
from ecs_hooks.engine.runner import Result, Runner, may_go_on
from ecs_hooks.plan.model import FirstDeployment

if TYPE_CHECKING:
    from ecs_hooks.engine.hook import Definition, Hook

_HEADSTART = 0.05
"""Seconds that the runner has to hand over the results of checks that it gave up."""

_FIRST = "first deployment"


def evaluate(definition: Definition, hook: Hook, runner: Runner) -> list[Result]:
    """Run the checks of the plan, then the code of the hook; what is unfinished at the deadline is a `WAIT`.

    Parameters
    ----------
    definition
        The hook.
    hook
        The invocation as the code of the hook sees it, with the plan.
    runner
        Runs the checks. Its results are those that are returned, unless the deadline passes.

    Returns
    -------
    list of Result
        Every result, in the order of the plan.
    """
    try:
        # The runner gives up checks in time for its results to be seen here.
        run_with_deadline(lambda: _run(definition, hook, runner), runner.context.deadline.earlier(-_HEADSTART))
    except (TimeoutError, OwnLimitError) as error:
        late = Outcome.wait("not finished when the time of this invocation was over")
        outcome = error.outcome if isinstance(error, OwnLimitError) else late
        result = Result(key_of(LABEL), LABEL, outcome)
        runner.on_result(result)
        # A copy: the thread that was given up may still add results, and the verdict must not change under way.
        return [*runner.results, result]
    return runner.results


def _run(definition: Definition, hook: Hook, runner: Runner) -> None:
    if hook.plan.policies.first_deployment is FirstDeployment.SKIP:
        try:
            if hook.deployment.first:
                runner.add(_FIRST, Outcome.skip("of this service: nothing is checked, as the plan says"))
                return
        except FactError as error:
            runner.add(_FIRST, error.outcome)
            return
    function = definition.function
    note = "" if hook.plan.explicit else definition.note
    if may_go_on(runner.run(hook.plan.checks, note=note)) and function is not None:
        run_hook_function(function, hook, runner)
