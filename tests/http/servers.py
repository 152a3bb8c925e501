"""Servers on loopback that follow a script of a test, down to the byte."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SOME_TIME = 15.0
"""Longest wait of a server for anything; only a test that has failed already gets there."""


class Peer:
    """One connection, seen from the server."""

    def __init__(self, connection: socket.socket, stop: threading.Event) -> None:
        self.connection = connection
        self.stop = stop
        connection.settimeout(SOME_TIME)

    def request(self) -> bytes:
        """Read one request, header and body."""
        data = bytearray()
        while b"\r\n\r\n" not in data:
            if not (piece := self.connection.recv(65_536)):
                return bytes(data)
            data += piece
        end = data.index(b"\r\n\r\n")
        head = bytes(data[:end])
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(data) < end + 4 + length:
            if not (piece := self.connection.recv(65_536)):
                break
            data += piece
        return bytes(data)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def answer(self, body: bytes = b"", *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1") + body)

    def trickle(self, piece: bytes) -> None:
        """Send the same bytes now and then, for ever."""
        while not self.stop.wait(0.05):
            self.send(piece)

    def hang(self) -> None:
        self.stop.wait(SOME_TIME)

    def reset(self) -> None:
        """Close with RST in place of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Script = Callable[[Peer], Any]


class Server:
    """Plays a script for each connection."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.script = script
        self.context = context
        self.connections = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # Of a fixed size, so that what an upload must exceed does not depend on the kernel's tuning.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262_144)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(SOME_TIME)
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # the listener has been shut down
                return
            self.connections += 1
            self._start(self._play, connection)

    def _play(self, connection: socket.socket) -> None:
        # A client that gives up, or refuses the certificate, is what most of these tests are about.
        with suppress(OSError):
            if self.context is not None:
                connection.settimeout(SOME_TIME)
                try:
                    connection = self.context.wrap_socket(connection, server_side=True)
                except OSError:
                    connection.close()
                    raise
            with connection:
                self.script(Peer(connection, self._stop))


def replying(body: bytes = b"", *headers: str, status: str = "200 OK") -> Script:
    """A server that reads a request and gives one answer."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.answer(body, *headers, status=status)

    return play


def sending(*pieces: bytes) -> Script:
    """A server that reads a request, sends these bytes and closes."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)

    return play
