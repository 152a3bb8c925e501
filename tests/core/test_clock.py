from __future__ import annotations

import threading
import time

from ecs_hooks.core import clock


def test_the_time_is_the_systems_until_another_is_used() -> None:
    assert abs(clock.now() - time.time()) < 60

    seen = []
    with clock.use(lambda: 42.0):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        assert clock.now() == 42.0

    assert seen == [42.0]
    assert clock.now() != 42.0
