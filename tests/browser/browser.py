"""A headless browser without a network, controlled through the DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
    # All requests of a page fail: no name resolves, and the proxy for addresses does not exist.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)


def browser() -> str | None:
    """Return the path of an installed browser."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """A tab.

    Parameters
    ----------
    to, from_
        The pipe to the browser and from it.

    Attributes
    ----------
    events : list of dict
        Events of the browser: requests, errors, messages of the console.
    """

    def __init__(self, to: IO[bytes], from_: IO[bytes]) -> None:
        self.events: list[dict[str, Any]] = []
        self._to, self._from = to, from_
        self._calls = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def open(self, file: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Open a file as it looks at a width, in a colour scheme, and wait until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 800
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        while not self.events_of("Page.loadEventFired"):
            self._read()

    def evaluate(self, expression: str) -> Any:
        """Return the value of JavaScript on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """Write a picture of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = None
        self.call("Browser.close")

    def events_of(self, method: str) -> list[Any]:
        """Return the parameters of the events of a method."""
        return [event["params"] for event in self.events if event["method"] == method]

    def _read(self) -> dict[str, Any]:
        """Return the next message; keep it where it is no answer."""
        text = bytearray()
        while (byte := self._from.read(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message


@contextmanager
def open_page(program: str, profile: Path) -> Iterator[Page]:
    """Start a browser with a folder for its own files, lend a tab of it, and end it."""
    # The protocol is spoken on the descriptors 3 and 4; the shell makes them of the pipes that Python gives.
    command = ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null', program, *_FLAGS]
    with subprocess.Popen(
        [*command, f"--user-data-dir={profile}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            page = Page(process.stdin, process.stdout)
            yield page
            page.close()
            process.wait(30)
        finally:
            process.kill()
