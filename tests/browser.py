"""A real browser, without a screen, told what to do over its DevTools protocol.

The protocol runs through two pipes of the browser's own (`--remote-debugging-pipe`), a JSON message
each way ended by a zero byte: no port, no driver, no package.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


class Browser:
    """One page in a browser; what goes wrong in it is collected in `complaints`."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._count, self._buffer = 0, b""
        self._session: str | None = None
        self.complaints: list[str] = []
        """Errors and warnings of the console, and whatever the page asked of a network."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """What the browser answers to a command of its protocol."""
        self._count += 1
        message: dict[str, object] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._in, 1 << 20)
            assert more, "the browser is gone"
            self._buffer += more
        message, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        spoken = method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning")
        if spoken or method in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(told))
        elif method == "Network.requestWillBeSent":
            url = told["request"]["url"]
            if not url.startswith(("data:", "file:")):
                self.complaints.append(url)

    def open(self, path: Path, *, width: int, height: int = 844, dark: bool = False) -> None:
        """Show a file in a window of so many CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.tell("new Promise(done => document.readyState == 'complete' ? done() : onload = done)")

    def faults(self, path: Path, *, width: int, dark: bool = False) -> list[str]:
        """What is wrong with a page, all of it unfolded, in a window of such a width: what sticks
        out of it, and what the browser complains of.
        """
        self.open(path, width=width, dark=dark)
        self.tell("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = self.tell("document.documentElement.scrollWidth")
        wide = self.tell("""[...document.querySelectorAll("main *")]
            .filter(one => !one.closest(".scroll, .slider")
                && one.getBoundingClientRect().right > innerWidth)
            .map(one => one.outerHTML.slice(0, 80))""")
        return [*([f"{found} px wide"] if found != width else []), *wide, *self.complaints]

    def tell(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """`mousePressed`, `mouseMoved` or `mouseReleased` at a place in the window."""
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=int(kind != "mouseReleased"),
            clickCount=int(kind != "mouseMoved"),
        )

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """`touchStart`, `touchMove` or `touchEnd` of a finger."""
        points = [{"x": x, "y": y} for x, y in places]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def press(self, key: str, code: int) -> None:
        """Press and release a key by its name and its Windows code."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def screenshot(self, path: Path) -> None:
        """The whole page, down to its end, as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser; skips the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    its_in, to_browser = os.pipe()
    from_browser, its_out = os.pipe()

    def hand_over() -> None:
        """The protocol is spoken on file descriptors 3 and 4."""
        first, second = os.dup(its_in), os.dup(its_out)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            preexec_fn=hand_over,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_in)
        os.close(its_out)
        try:
            yield Browser(to_browser, from_browser)
        finally:
            process.terminate()
            process.wait()
            os.close(to_browser)
            os.close(from_browser)
