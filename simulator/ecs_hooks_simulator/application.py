"""Tasks of a service revision as processes on this machine.

The command of a revision gets `HOST` and `PORT`, where it has to listen, as environment variables. It is healthy once it
accepts connections.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.faults import Fault, FaultKind
from ecs_hooks_simulator.core.service_deployment import ServiceRevision
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

_START_TIMEOUT = 20.0
"""Seconds until a process must accept connections."""
_STOP_TIMEOUT = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_PORTS = range(10_000, 32_768)
"""Ports below those of outgoing connections (from 32768 on Linux, 49152 elsewhere).

An outgoing connection could take one of those before the process opens it. Even the connection that polls the process
could, and then it would connect to itself.
"""


@dataclass(frozen=True, kw_only=True)
class Application:
    """What a revision runs.

    Parameters
    ----------
    command
        The program and its arguments.
    environment
        Variables in addition to those of this process.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def free_port() -> int:
    """Return an unused port of 127.0.0.1, for a process that opens it a moment later.

    Raises
    ------
    OSError
        If no port can be opened on this machine.
    """
    while True:
        # Not `random`: parallel processes whose tests set the same seed would draw the same ports.
        port = secrets.choice(_PORTS)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port


class Task:
    """One running process.

    Raises
    ------
    TasksFailedError
        If it ends, or does not accept connections in time; the message contains its last output.
    """

    def __init__(self, application: Application) -> None:
        self.port = free_port()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                application.command,
                env={**os.environ, **application.environment, "HOST": "127.0.0.1", "PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._log.close()
            raise TasksFailedError(f"{application.command[0]} cannot be started: {error.strerror}") from error
        self._wait_until_started(application)

    @property
    def output(self) -> str:
        """The output of the process so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def crash(self) -> None:
        """Kill the process; its port refuses connections from now on."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.crash()
        self._log.close()

    def _wait_until_started(self, application: Application) -> None:
        end = time.monotonic() + _START_TIMEOUT
        problem = f"does not accept connections at 127.0.0.1:{self.port} (PORT)"
        while time.monotonic() < end:
            if self._process.poll() is not None:
                problem = f"ended with exit code {self._process.returncode}"
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        tail = self.output[-500:].strip()
        self.stop()
        raise TasksFailedError(f"{application.command[0]} {problem}: {tail}")


class LocalTasks:
    """The `Tasks` of a deployment controller: one process for each revision, registered with the load balancer."""

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer
        self._running: dict[str, Task] = {}

    def start(self, revision: ServiceRevision) -> None:
        """Start the application in `revision.settings["application"]`, and register it."""
        if revision.arn in self._running:
            return
        task = Task(revision.settings["application"])
        self._running[revision.arn] = task
        self._balancer.register(revision.arn, f"127.0.0.1:{task.port}")

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether the revision runs; `start` returns only when it accepts connections."""
        return revision.arn in self._running

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Kill the process for a crash; the load balancer applies all faults to its requests."""
        if fault.kind is FaultKind.CRASH:
            self._running[revision.arn].crash()
        self._balancer.inject(revision.arn, fault)

    def stop(self, revision: ServiceRevision) -> None:
        """Deregister the revision and end its process."""
        task = self._running.pop(revision.arn, None)
        if task is not None:
            self._balancer.deregister(revision.arn)
            task.stop()

    def close(self) -> None:
        """End all processes."""
        while self._running:
            self._running.popitem()[1].stop()
