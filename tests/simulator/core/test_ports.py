from __future__ import annotations

import errno
import secrets
import socket

import pytest

from ecs_hooks_simulator.core.ports import free_port


def test_a_port_is_free_and_is_given_to_no_outgoing_connection() -> None:
    port = free_port()
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", port))
    assert port < 32768


def test_a_port_that_somebody_has_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        drawn = iter([taken.getsockname()[1], free := free_port()])
        monkeypatch.setattr(secrets, "choice", lambda _: next(drawn))
        assert free_port() == free


def test_where_no_port_can_be_opened_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(PermissionError):
        free_port()
