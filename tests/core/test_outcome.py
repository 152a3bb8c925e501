from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_hooks.core.outcome import ExplainedError, Outcome, Status, check_code


@pytest.mark.parametrize(
    ("outcome", "status", "decided"),
    [
        (Outcome.passed("r", {"n": 1}), Status.PASS, True),
        (Outcome.failed("r", {"n": 1}), Status.FAIL, True),
        (Outcome.skip("r"), Status.SKIP, True),
        (Outcome.wait("r", {"n": 1}, retry_after=3), Status.WAIT, False),
        (Outcome.error("r", {"n": 1}, retry_after=3), Status.ERROR, False),
    ],
)
def test_an_outcome_is_what_it_is_called(outcome: Outcome, status: Status, *, decided: bool) -> None:
    assert outcome.status is status
    assert outcome.reason == "r"
    assert outcome.decided is decided
    assert outcome.retry_after == (None if decided else 3)
    assert dict(outcome.evidence) == ({} if status is Status.SKIP else {"n": 1})


def test_an_explained_error_is_a_failure_unless_it_says_otherwise() -> None:
    assert ExplainedError("why").outcome == Outcome.failed("why")


@pytest.mark.parametrize("error", [ExplainedError("no address"), KeyboardInterrupt()])
def test_an_error_that_explains_itself_is_not_one_of_the_checks_class(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, check_code("QueueCheck.at()"):
        raise error

    assert caught.value is error


@pytest.mark.parametrize("made", [Outcome.passed, Outcome.skip, Outcome.wait])
def test_parts_that_a_check_leaves_out_are_in_reason_and_evidence(made: Callable[[str], Outcome]) -> None:
    outcome = made("fine").leaving_out(["a", "b", "c", "d", "e", "f"])

    assert outcome.reason == "fine; not checked: a, b, c, d, e and 1 more"
    assert outcome.evidence == {"parts_not_checked": 6}
    assert outcome.warns is outcome.decided
    assert made("fine").leaving_out([]) == made("fine")
    assert not made("fine").warns


@pytest.mark.parametrize("made", [Outcome.failed, Outcome.error])
def test_a_failure_leaves_nothing_out(made: Callable[[str], Outcome]) -> None:
    assert made("broken").leaving_out(["a"]) == made("broken")
