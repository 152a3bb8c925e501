"""Failed measurements that are missing in the state, because the answer with them was lost or a duplicate's came first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ecs_hooks.core.state import State

_MOST = 200
"""Number of answers that are kept."""


class _Answer(NamedTuple):
    step: str
    after: str
    """The answer before it: what the invocation continued."""
    included_in: set[str]
    """Answers that include these failures."""
    failures: Mapping[str, int]


class UnsentFailures:
    """What this instance of the function knows of failed measurements, by the answers that include them.

    ECS may invoke a hook again with the state that it had before (its answer was lost), or twice with the same state (one
    of two answers is kept). An instance that measured a failure in such an invocation still knows it, and adds it to the
    state that lacks it. Answers to a first invocation are left out, since nothing distinguishes two first invocations.
    """

    def __init__(self) -> None:
        self._answers: deque[_Answer] = deque(maxlen=_MOST)

    def missing_in(self, state: State) -> Mapping[str, int]:
        """Return the number of failures by check that a state lacks."""
        missing: Counter[str] = Counter()
        for each in self._lacked_by(state):
            missing.update(each.failures)
        return missing

    def add(self, state: State, answer: str, failures: Mapping[str, int]) -> None:
        """Record an answer to an invocation with this state, which includes what was missing in it, and new failures."""
        for each in self._lacked_by(state):
            each.included_in.add(answer)
        if failures and state.last.id:
            self._answers.append(_Answer(state.step, state.last.id, {answer}, failures))

    def _lacked_by(self, state: State) -> list[_Answer]:
        last = state.last
        return [
            each
            for each in self._answers
            if each.step == state.step and each.after in {last.id, last.after} and last.id not in each.included_in
        ]


unsent_failures = UnsentFailures()
"""Those of this instance; it continues the hooks of many deployments."""
