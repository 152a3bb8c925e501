"""An endpoint on loopback that answers every request with 200 after a fixed time, in a process of its own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.events import ROOT

BODY = b'{"status": "ok"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n"


@contextmanager
def serving(delay_seconds: float = 0.0, *, keep_alive: bool = False) -> Iterator[str]:
    """Serve until the block ends, and yield the address; with `keep_alive`, connections are left open."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "benchmarks.server", str(delay_seconds), *(["keep-alive"] if keep_alive else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


class _Answering(asyncio.Protocol):
    """One connection, without streams and tasks, so that fifty concurrent requests do not wait for each other."""

    def __init__(self, delay_seconds: float, *, keep_alive: bool) -> None:
        self._delay = delay_seconds
        self._keep_alive = keep_alive
        self._received = b""
        self._answer = HEAD + (b"" if keep_alive else b"Connection: close\r\n") + b"\r\n" + BODY
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a socket's transport is one

    def data_received(self, data: bytes) -> None:
        self._received += data
        while size := _size_of_request(self._received):
            self._received = self._received[size:]
            asyncio.get_running_loop().call_later(self._delay, self._send)

    def _send(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._answer)
            if not self._keep_alive:
                self._transport.close()


def _size_of_request(received: bytes) -> int:
    """Return the length of the first request in bytes; 0 if it is incomplete."""
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return 0
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    length = int(found.group(1)) if found else 0
    return len(head) + len(end) + length if len(rest) >= length else 0


async def serve(delay_seconds: float, *, keep_alive: bool) -> None:
    """Print the port and serve for ever: one event loop, so that requests that arrive together end together."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Answering(delay_seconds, keep_alive=keep_alive), "127.0.0.1", 0, backlog=256
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), keep_alive="keep-alive" in sys.argv))
