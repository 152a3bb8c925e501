"""Tasks of a service revision as real processes on this machine.

The command of a revision gets `PORT`, at which it has to listen on `HOST`, in its environment; it is healthy once it
accepts connections there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.faults import FaultKind
from ecs_hooks_simulator.core.ports import free_port

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import ServiceRevision
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

_STARTED = 20.0
"""Seconds that a process has to accept connections."""
_STOPPED = 5.0
"""Seconds between asking a process to end and ending it."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """What a revision runs.

    Parameters
    ----------
    command
        The program and its arguments.
    environment
        Variables beside those of this process.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Task:
    """One running process.

    Parameters
    ----------
    application
        What to run.

    Raises
    ------
    TasksFailedError
        If it ends, or does not accept connections in time; its last output is in the message.
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
            raise TasksFailedError(f"{application.command[0]} can't be started: {error.strerror}") from error
        self._wait_until_started(application)

    @property
    def output(self) -> str:
        """What the process has written so far."""
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
            self._process.wait(_STOPPED)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _wait_until_started(self, application: Application) -> None:
        end = time.monotonic() + _STARTED
        why = "does not accept connections"
        while time.monotonic() < end:
            if self._process.poll() is not None:
                why = f"ended with exit code {self._process.returncode}"
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        tail = self.output[-500:].strip()
        self.stop()
        raise TasksFailedError(f"{application.command[0]} {why}: {tail}")


class LocalTasks:
    """The `Tasks` of a deployment controller: one process for each revision, registered with the load balancer.

    Parameters
    ----------
    balancer
        Where they are registered.
    """

    def __init__(self, balancer: LoadBalancer) -> None:
        self._balancer = balancer
        self._running: dict[str, Task] = {}

    def start(self, revision: ServiceRevision) -> None:
        """Start what `revision.settings["application"]` says, and register it."""
        if revision.arn in self._running:
            return
        task = Task(revision.settings["application"])
        self._running[revision.arn] = task
        self._balancer.register(revision.arn, f"127.0.0.1:{task.port}")

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether the revision runs; `start` returns only once it accepts connections."""
        return revision.arn in self._running

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Kill the process for a crash; every other fault befalls requests on their way to it."""
        if fault.kind is FaultKind.CRASH:
            self._running[revision.arn].crash()
        self._balancer.disturb(revision.arn, fault)

    def stop(self, revision: ServiceRevision) -> None:
        """Deregister the revision and end its process."""
        task = self._running.pop(revision.arn, None)
        if task is not None:
            self._balancer.deregister(revision.arn)
            task.stop()

    def close(self) -> None:
        """End everything that still runs."""
        while self._running:
            self._running.popitem()[1].stop()
