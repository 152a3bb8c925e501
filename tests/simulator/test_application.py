from __future__ import annotations

import errno
import secrets
import socket
import sys

import pytest
import urllib3

from ecs_hooks_simulator import ServiceRevision, TasksFailedError
from ecs_hooks_simulator import application as module
from ecs_hooks_simulator.application import Application, LocalTasks, Task, free_port
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.service_deployment import TargetGroup
from ecs_hooks_simulator.simulation import demo_application
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer


def program(code: str) -> Application:
    return Application(command=[sys.executable, "-c", code])


def revision(application: Application) -> ServiceRevision:
    return ServiceRevision(
        arn="arn:green",
        id="1",
        image="",
        task_definition="",
        target_group=TargetGroup.PRIMARY,
        created_at=0.0,
        settings={"application": application},
    )


def test_a_task_runs_until_it_is_stopped() -> None:
    task = Task(demo_application("7"))
    address = f"http://127.0.0.1:{task.port}/health"
    try:
        assert urllib3.request("GET", address).json() == {"status": "ok", "version": "7"}
        assert task.output == ""
    finally:
        task.stop()

    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", address, retries=False)


def test_the_error_of_a_program_that_ends_contains_its_output() -> None:
    with pytest.raises(TasksFailedError, match="ended with exit code 3: no database"):
        Task(program("print('no database'); raise SystemExit(3)"))


def test_a_program_that_never_listens_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_START_TIMEOUT", 0.3)

    with pytest.raises(TasksFailedError, match="does not accept connections"):
        Task(program("import time; time.sleep(60)"))


def test_a_program_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_TIMEOUT", 0.2)
    task = Task(
        program(
            "import os, signal, socket, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "listening = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
            "time.sleep(60)"
        )
    )

    task.stop()


def test_a_crash_kills_the_process_and_its_port_refuses_connections() -> None:
    with LoadBalancer() as balancer:
        tasks, green = LocalTasks(balancer), revision(demo_application("2"))
        tasks.start(green)
        balancer.shift("production", {green.arn: 100})
        before = urllib3.request("GET", balancer.url("production"), retries=False).status
        tasks.inject(green, Fault.parse("errors=50%"))
        tasks.inject(green, Fault.parse("crash"))
        after = urllib3.request("GET", balancer.url("production"), retries=False).status
        why = balancer.unhealthy(green.arn)
        tasks.stop(green)

        assert (before, after) == (200, 502)
        assert balancer.forwarded[-1].origin == "connection"
        assert why is not None
        assert balancer.unhealthy(green.arn) is None


def test_a_program_that_does_not_exist_cannot_be_started() -> None:
    with pytest.raises(TasksFailedError, match="/nonexistent/program cannot be started: No such file"):
        Task(Application(command=["/nonexistent/program"]))


def test_tasks_are_registered_with_the_load_balancer() -> None:
    with LoadBalancer() as balancer:
        tasks = LocalTasks(balancer)
        green = revision(demo_application("2"))
        balancer.shift("test", {green.arn: 100})
        assert not tasks.healthy(green)

        tasks.start(green)
        tasks.start(green)
        assert tasks.healthy(green)
        assert urllib3.request("GET", balancer.url("test")).json()["version"] == "2"

        tasks.stop(green)
        tasks.stop(green)
        assert not tasks.healthy(green)
        assert urllib3.request("GET", balancer.url("test")).status == 503

        tasks.start(green)
        tasks.close()
        assert not tasks.healthy(green)


def test_a_port_is_free_and_below_those_of_outgoing_connections() -> None:
    port = free_port()
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", port))
    assert port < 32768


def test_a_port_in_use_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        drawn = iter([taken.getsockname()[1], free := free_port()])
        monkeypatch.setattr(secrets, "choice", lambda _: next(drawn))
        assert free_port() == free


def test_an_error_other_than_a_port_in_use_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(PermissionError):
        free_port()
