"""The local page served to the tests, and requests to it as a browser sends them."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demosaic.app.jobs import Jobs
from demosaic.app.server import listening_on, server_of
from demosaic.app.tools import Tools
from demosaic.app.uploads import Uploads
from demosaic.config.detector import DetectorConfig
from demosaic.models.box import BOX
from demosaic.models.model import Model
from doubles import COMPUTE, DEVICES

TOKEN = "a-token-that-nobody-guesses"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    tools: Tools
    jobs: Jobs
    plain: Mapping[str, str] = field(init=False)
    """The headers that a browser sends from the page."""

    def __post_init__(self) -> None:
        host = f"127.0.0.1:{self.port}"
        cookie = f"demosaic-{self.port}={TOKEN}"
        object.__setattr__(
            self, "plain", {"Host": host, "Origin": f"http://{host}", "Cookie": cookie}
        )

    @property
    def address(self) -> str:
        """What the terminal shows."""
        return f"http://127.0.0.1:{self.port}/?token={TOKEN}"

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        without: tuple[str, ...] = (),
        **headers: str,
    ) -> Answer:
        """Send a request as the page does, except for these headers."""
        sent = {name: text for name, text in self.plain.items() if name not in without}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def upload(self, data: bytes, suffix: str = "") -> str:
        """Send a file; its id."""
        answer = self.send("POST", f"/uploads?suffix={suffix}" if suffix else "/uploads", data)
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    def start(self, task: str, **values: object) -> Answer:
        """Ask for a job."""
        return self.send("POST", "/jobs", json.dumps({"task": task, **values}).encode())

    def ended(self, job: str) -> Any:
        """The state of a job after its end."""
        for _ in range(2000):
            state = self.send("GET", f"/jobs/{job}").json
            if state["state"] not in ("waiting", "working"):
                return state
            time.sleep(0.01)
        raise AssertionError(state)

    def done(self, task: str, **values: object) -> Any:
        """Do a job; its state, after it was done well."""
        answer = self.start(task, **values)
        assert answer.status == 200, answer.body
        state = self.ended(answer.json["id"])
        assert state["state"] == "done", state
        return state

    def file(self, job: Mapping[str, Any], name: str) -> bytes:
        """A file that a job wrote."""
        answer = self.send("GET", f"/jobs/{job['id']}/{name}")
        assert answer.status == 200, answer.body
        return answer.body


@contextmanager
def serving(
    folder: Path, model: Model, album: Path | None = None, model_file: Path = BOX
) -> Iterator[Served]:
    """The page, served from a thread of this process. Uploads go to the folder."""
    tools = Tools(model, model_file, COMPUTE, DEVICES, DetectorConfig(), Uploads(folder), album)
    jobs = Jobs()
    with listening_on(0) as socket:
        port = socket.getsockname()[1]
        server = server_of(tools, jobs, TOKEN, port)
        thread = threading.Thread(target=server.run, args=([socket],), daemon=True)
        thread.start()
        try:
            yield Served(port, tools, jobs)
        finally:
            server.should_exit = True
            jobs.close()
            thread.join()
