"""Ports for processes that open them themselves, a moment after they are told which."""

from __future__ import annotations

import errno
import secrets
import socket

_PORTS = range(10_000, 32_768)
"""Below those that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere).

Of those any connection on the machine may take a port before the process opens it: even the one that asks whether the
process is there yet, which then speaks to itself.
"""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has.

    Raises
    ------
    OSError
        If ports can't be opened here at all.
    """
    while True:
        # Not from `random`, whose seed tests and benchmarks set: processes beside each other would draw the same.
        port = secrets.choice(_PORTS)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
