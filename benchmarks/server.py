"""An endpoint on loopback that answers everything with 200 after a fixed time, in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


async def serve(delay_seconds: float, *, keep_alive: bool) -> None:
    """Print the port and serve for ever: one event loop, so that requests which arrive together end together."""
    closing = b"" if keep_alive else b"Connection: close\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client has closed it
            await answer_one(reader, writer)
            while keep_alive:
                await answer_one(reader, writer)
        writer.close()

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
        await reader.readexactly(length)
        await asyncio.sleep(delay_seconds)
        writer.write(HEAD + closing + b"\r\n" + BODY)
        await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), keep_alive="keep-alive" in sys.argv))
