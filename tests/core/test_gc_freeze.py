from __future__ import annotations

import gc

import pytest

from ecs_hooks.core.gc_freeze import gc_freeze


def test_there_is_no_collection_while_loading() -> None:
    with gc_freeze():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with gc_freeze():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_back_after_an_error() -> None:
    with pytest.raises(ImportError), gc_freeze():
        raise ImportError
    assert gc.isenabled()
