"""A real browser without a screen, driven through its DevTools protocol.

The protocol runs through two pipes (`--remote-debugging-pipe`): JSON messages, each ended by a zero
byte. It needs no port, no driver and no package.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


class Browser:
    """One page in a browser, which collects the page's faults in `complaints`."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._count, self._buffer = 0, b""
        self._session: str | None = None
        self.own = ""
        """How the addresses begin that a page may request, if it has a server."""
        self.complaints: list[str] = []
        """Errors and warnings of the console, and what the page requested from a network."""
        self.new_tab()

    def new_tab(self) -> str:
        """Open another tab and go there; its name for `turn_to`."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self.current

    @property
    def current(self) -> str:
        """The name of the tab for `turn_to`."""
        return str(self._session)

    def turn_to(self, tab: str) -> None:
        """Go on in another tab."""
        self._session = tab

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command of the protocol and return the browser's answer."""
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
            assert more, "the browser has ended"
            self._buffer += more
        message, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        method, details = event.get("method"), event.get("params", {})
        logged = method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning")
        if logged or method in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(details))
        elif method == "Network.requestWillBeSent":
            url = details["request"]["url"]
            if not url.startswith(("data:", "file:", self.own or "data:")):
                self.complaints.append(url)

    def open(self, page: Path | str, *, width: int, height: int = 844, dark: bool = False) -> None:
        """Show a file or an address in a window of `width` x `height` CSS pixels."""
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
        url = page if isinstance(page, str) else page.resolve().as_uri()
        self.call("Page.navigate", url=url)
        self.run("new Promise(done => document.readyState == 'complete' ? done() : onload = done)")

    def faults(self, path: Path, *, width: int, dark: bool = False) -> list[str]:
        """The faults of a page with all its details open: elements that are wider than the window,
        and the browser's complaints.
        """
        self.open(path, width=width, dark=dark)
        self.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = self.run("document.documentElement.scrollWidth")
        wide = self.run("""[...document.querySelectorAll("main *")]
            .filter(one => !one.closest(".scroll, .slider")
                && one.getBoundingClientRect().right > innerWidth)
            .map(one => one.outerHTML.slice(0, 80))""")
        return [*([f"{found} px wide"] if found != width else []), *wide, *self.complaints]

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page. Waits for a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 20) -> None:
        """Wait until a JavaScript expression in the page is true."""
        ends = time.monotonic() + seconds
        while not self.run(f"Boolean({script})"):
            assert time.monotonic() < ends, (script, self.run("document.body.innerText"))
            time.sleep(0.02)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in an input of the page, as a user does in the dialog."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path.resolve())])

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Send `mousePressed`, `mouseMoved` or `mouseReleased` at a position in the window."""
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
        """Send `touchStart`, `touchMove` or `touchEnd` with fingers at these positions."""
        points = [{"x": x, "y": y} for x, y in places]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def press(self, key: str, code: int) -> None:
        """Press and release a key, given by its name and its Windows code."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG file."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser. Skips the test where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    its_in, to_browser = os.pipe()
    from_browser, its_out = os.pipe()

    def hand_over() -> None:
        """The browser reads from file descriptor 3 and writes to 4."""
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
