"""The function's own limits: file descriptors, threads, memory. What fails for one of them says nothing about green."""

from __future__ import annotations

import errno
import os
import resource

from ecs_hooks.core.outcome import ExplainedError, Outcome

_DESCRIPTORS = {errno.EMFILE, errno.ENFILE}
_MEMORY = {errno.ENOMEM, errno.ENOBUFS}
_NO_THREAD = "can't start new thread"
_MAX_RESERVE = 64
"""Most file descriptors that connections leave to everything else: AWS clients, DNS lookups, certificates, the log."""


class OwnLimitError(ExplainedError):
    """The function has reached a limit of its own."""

    @property
    def outcome(self) -> Outcome:
        """An `ERROR`: the check could not run."""
        return Outcome.error(str(self))


def own_limit(error: BaseException | None) -> str:
    """Return the limit of the function because of which an exception was raised, as a reason; empty if there is none.

    Parameters
    ----------
    error
        The exception. Those that it was raised from, or while handling, count too: clients wrap them.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        match error:
            case OwnLimitError():
                return str(error)
            case MemoryError():
                return out_of_memory()
            case OSError() if error.errno in _DESCRIPTORS:
                return out_of_descriptors()
            case OSError() if error.errno in _MEMORY:
                return out_of_memory()
            case RuntimeError() if _NO_THREAD in str(error):
                return out_of_threads()
        error = error.__cause__ or error.__context__
    return ""


def out_of_memory() -> str:
    """Return the reason for an exception for lack of memory."""
    return "the function ran out of memory; give it more, or run fewer checks at the same time"


def out_of_threads() -> str:
    """Return the reason for a thread that can't start."""
    return (
        f"the function ran out of threads: {_NO_THREAD}; lower max_in_flight or samples.concurrency, or run fewer checks "
        f"at the same time"
    )


def out_of_descriptors() -> str:
    """Return the reason for a file or connection that can't be opened."""
    return (
        f"the function ran out of file descriptors; at most {_limit()} at once: lower max_in_flight or "
        f"samples.concurrency, or run fewer checks at the same time"
    )


def max_descriptor() -> int:
    """Return the highest number of a descriptor that a connection may have.

    A new descriptor has the lowest free number. So its number says how many descriptors of the whole process are open,
    whatever opened them.
    """
    limit = _limit()
    return limit - min(_MAX_RESERVE, limit // 8) - 1


def has_no_descriptor() -> bool:
    """Return whether the process can open no file: an error about certificates or names may then be due to that."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in _DESCRIPTORS
    return False


def _limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if soft == resource.RLIM_INFINITY else soft
