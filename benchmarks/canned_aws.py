"""AWS on loopback that returns fixed bytes for each operation, at once, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.events import ROOT


@contextmanager
def replaying(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Serve until the block ends, and yield the address.

    Parameters
    ----------
    answers
        The response bodies, by words that the request contains: the operation, and other words that identify it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.canned_aws"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump({name: body.decode("latin-1") for name, body in answers.items()}, process.stdin)
        process.stdin.close()
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


async def serve(answers: Mapping[str, bytes]) -> None:
    """Print the port and serve for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length.group(1)) if length else 0)
            request = (head + body).decode("latin-1")
            content = next(
                (each for words, each in answers.items() if all(word in request for word in words.split())), b""
            )
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve({name: text.encode("latin-1") for name, text in json.load(sys.stdin).items()}))
