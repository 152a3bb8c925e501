from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.core import clock


def test_a_value_is_requested_once_while_it_is_valid() -> None:
    cache: Cache[str, int] = Cache()
    calls: list[int] = []
    now = [1000.0]

    def find() -> Kept[int]:
        calls.append(len(calls))
        return Kept(len(calls), 60)

    with clock.use(lambda: now[0]):
        assert [cache.get("a", find), cache.get("a", find)] == [1, 1]
        assert cache.get("b", find) == 2
        now[0] += 59
        assert cache.get("a", find) == 1
        now[0] += 1
        assert cache.get("a", find) == 3
        now[0] -= 10  # set back
        assert cache.get("a", find) == 4
        cache.clear()
        assert cache.get("a", find) == 5


@pytest.mark.parametrize("fails", [False, True])
def test_one_thread_requests_a_value_for_all_that_wait(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cache: Cache[str, int] = Cache()
    calls: list[int] = []
    got: list[object] = []
    waiting, go_on = threading.Semaphore(0), threading.Event()

    def find() -> Kept[int]:
        calls.append(1)
        go_on.wait(10)
        if fails:
            raise LookupError
        return Kept(7, 60)

    def monotonic() -> float:
        # The cache reads the clock when a call begins: from then on the result of another call counts for it.
        now = time.monotonic()
        waiting.release()
        return now

    monkeypatch.setattr("ecs_hooks.auth.cache.time", SimpleNamespace(monotonic=monotonic))

    def get() -> None:
        try:
            got.append(cache.get("a", find))
        except LookupError as error:
            got.append(type(error))

    threads = [threading.Thread(target=get) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in threads:
        waiting.acquire()
    go_on.set()
    for thread in threads:
        thread.join()
    assert got == [LookupError if fails else 7] * 5
    assert len(calls) == 1


def test_an_error_is_not_kept() -> None:
    cache: Cache[str, int] = Cache()

    def fail() -> Kept[int]:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            cache.get("a", fail)
    assert cache.get("a", lambda: Kept(1, 60)) == 1
