"""Imports without the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_freeze() -> Iterator[None]:
    """Exempt the objects that this block creates from garbage collection, now and later.

    A cold start creates a hundred thousand classes, functions and dictionaries that all stay; searching them for garbage
    takes a tenth of it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.enable()
