"""A real server with a real vision-language model of random weights: `transformers serve`."""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageDraw

from engine.contract.asking import Draft, Event, Failed, Finished, Found
from engine.contract.errors import InklingError
from engine.contract.query import parse
from engine.engine import Engine
from indexer.asking import finding
from indexer.asking.question import Question
from tests.indexer.asking.conftest import QUESTION, Asked, port_over
from tests.indexer.asking.tiny_sight import MODEL
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The server's process and its port, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cache = str(tmp_path / "hub")
    command = [sys.executable, "-m", "tests.indexer.asking.tiny_sight", cache, str(port)]
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        until(lambda: listens(port) or process.poll() is not None, log.read_text)
        assert process.poll() is None, log.read_text()
        yield psutil.Process(process.pid), port
    finally:
        process.kill()
        process.wait(PATIENCE)


def listens(port: int) -> bool:
    with socket.socket() as asks:
        return asks.connect_ex(("127.0.0.1", port)) == 0


def picture() -> bytes:
    drawn = Image.new("RGB", (320, 200), "white")
    ImageDraw.Draw(drawn).text((20, 60), "900 euros", fill="black", font_size=48)
    with io.BytesIO() as buffer:
        drawn.save(buffer, "PNG")
        return buffer.getvalue()


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def test_asked_stopped_and_killed(
    engine: Engine, served: tuple[psutil.Process, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, port = served
    monkeypatch.setattr(finding, "PORTS", (port,))
    asked = port_over(engine)
    asked.settings.ask_tokens = 1_000

    told = asyncio.run(asked.port.servers())
    assert [(model.id, model.sees, model.context) for model in told.servers[0].models] == [
        (MODEL, None, None)
    ]

    events = asked.events()  # the model is loaded now
    assert [event for event in events if isinstance(event, Draft) and event.text]
    assert last(events).ending == "length"
    assert last(events).first_ms > 0

    asked = port_over(engine)
    asked.settings.ask_pictures = "always"
    asked.picture = picture()
    seen = stopped_after(asked, 5)
    assert [(found.sees, found.sources[0].given) for found in seen if isinstance(found, Found)] == [
        (True, "both")
    ]
    assert asked.drawn
    until(lambda: rests(process), "for the server to stop writing")

    missing = asked.events(model="inkling/none")
    assert isinstance(missing[-1], Failed)
    assert InklingError.of(missing[-1].error).message

    def kill(event: Event) -> None:
        if isinstance(event, Draft) and event.text and process.is_running():
            process.kill()

    events = asked.events(each=kill)
    assert isinstance(events[-1], Failed)
    assert "stopped in the middle" in events[-1].error["message"]
    assert asyncio.run(asked.port.servers()).server == ""


def stopped_after(asked: Asked, drafts: int) -> list[Event]:
    """The events of an answer until so many drafts have come, when it is closed."""

    async def collect() -> list[Event]:
        found: list[Event] = []
        events = asked.port.answer(Question(parse(QUESTION), QUESTION))
        async for event in events:
            found.append(event)
            if sum(isinstance(event, Draft) for event in found) >= drafts:
                break
        await events.aclose()  # type: ignore[attr-defined]
        assert not [event for event in found if isinstance(event, Finished)]
        return found

    return asyncio.run(collect())


def rests(process: psutil.Process) -> bool:
    """Whether it does next to nothing."""
    return process.cpu_percent(0.5) < 20.0
