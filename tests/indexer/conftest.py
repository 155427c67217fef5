"""A real indexer over a small folder, for tests that only ask it."""

from __future__ import annotations

import http.client
import json
import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop.client import Client
from engine.contract.paths import BaseDir
from tests.light_model import light
from tests.waiting import PATIENCE, until

#: A name that is not UTF-8, as Python has it.
LATIN = os.fsdecode(b"caf\xe9.txt")
SECRET = "AKIAQYLPMN5HFIQR7XYA"


@dataclass
class Reply:
    """What came back, undigested."""

    status: int
    body: bytes
    type: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Message and hint; fails where the body is not an error of ours."""
        assert self.type == "application/json"
        assert self.json.keys() == {"error"}
        error = self.json["error"]
        assert error.keys() - {"template"} == {"message", "hint", "path"}
        if template := error.get("template"):
            told = template["told"]
            assert template["message"].format(**told) == error["message"]
            assert template["hint"].format(**told) == error["hint"]
        return f"{error['message']} {error['hint']}"


@dataclass
class RunningIndexer:
    """A process to ask, politely or not."""

    base: BaseDir
    folder: Path
    client: Client

    @property
    def token(self) -> str:
        return self.client.endpoint.token

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: dict[str, str | None] | None = None,
    ) -> Reply:
        """One call with everything right, except for what `headers` replace or take away."""
        address = urllib.parse.urlsplit(self.client.endpoint.url)
        given: dict[str, str | None] = {"Authorization": f"Bearer {self.token}"}
        data = body if isinstance(body, bytes) else None
        if body is not None:
            given["Content-Type"] = "application/json"
            data = data if data is not None else json.dumps(body).encode("ascii")
            given["Content-Length"] = str(len(data))
        given |= headers or {}
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=PATIENCE
        )
        try:
            connection.putrequest(method, target, skip_host="Host" in given)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            response = connection.getresponse()
            kind = response.headers.get_content_type()
            return Reply(response.status, response.read(), kind)
        finally:
            connection.close()

    def until_idle(self) -> None:
        until(lambda: self.client.status()["state"] == "idle", self.client.status)


def quoted(path: str | Path) -> str:
    """A path for an address, byte for byte."""
    return urllib.parse.quote(os.fsencode(path))


def _fill(folder: Path) -> None:
    from PIL import Image, ImageDraw

    folder.mkdir()
    (folder / "bread.md").write_text("# Sourdough\n\nFeed the starter every evening.\n")
    (folder / "upload.py").write_text(
        'def send_again(chunk):\n    """Try until the server takes it."""\n    return chunk\n'
    )
    (folder / "creds.txt").write_text(f"{SECRET}\n")
    (folder / LATIN).write_text("The coffee house opens at nine.\n")
    sentences = (f"Paragraph {n} tells of the lighthouse keeper's day {n}." for n in range(400))
    (folder / "long.txt").write_text("\n".join(sentences))
    picture = Image.new("RGB", (640, 200), "white")
    ImageDraw.Draw(picture).text((20, 60), "HARBOUR TIMETABLE", fill="black", font_size=48)
    picture.save(folder / "sign.png")


@pytest.fixture(scope="module")
def indexer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIndexer]:
    """An indexer that has read everything in its folder."""
    place = tmp_path_factory.mktemp("indexer")
    folder = place / "files"
    _fill(folder)
    base = light(BaseDir(place / "base").create())
    client = Client.connect(base)
    process = psutil.Process(client.endpoint.pid)
    running = RunningIndexer(base, folder, client)
    try:
        client.add([str(folder)])
        running.until_idle()
        yield running
    finally:
        family = [process, *process.children(recursive=True)]
        client.stop()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        for left in alive:
            left.kill()
        assert not alive, "the indexer did not end"
