"""A scripted server, and the port over it and over a real engine, in this very process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from engine.asking.asking import Asking
from engine.contract.asking import Event
from engine.contract.notices import notice
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import Settings
from engine.contract.types import FileFacts, Notice, Unit
from engine.engine import Engine
from engine.models.registry import model_spec
from indexer.asking import finding
from indexer.asking.question import Question
from indexer.asking.service import LanguageModels
from tests.light_model import LIGHT_MODEL
from tests.scripted_model_server import ScriptedModelServer

QUESTION = "What does the flat in Harbour Street cost?"
PICTURE = b"\x89PNG\r\n\x1a\n a picture"
_TEXTS = (
    ("pdf", "/home/mara/offer.pdf", "The flat in Harbour Street costs 900 euros a month."),
    ("note", "/home/mara/bread.md", "Feed the sourdough starter every evening."),
    ("code", "/home/mara/upload.py", "def send_again(chunk): return chunk"),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One that has read three files."""
    base = BaseDir(tmp_path_factory.mktemp("engine")).create()
    made = Engine(base, model_spec(LIGHT_MODEL), lambda words, limit, filters: [])
    units = []
    for file_id, (kind, path, text) in enumerate(_TEXTS, 1):
        ext = path.rpartition(".")[2]
        facts = FileFacts(file_id, path, kind, None, ext, 1e9, 10)  # type: ignore[arg-type]
        page = 1 if kind == "pdf" else None
        units.append((facts, Unit(file_id, 0, kind, text, page=page)))  # type: ignore[arg-type]
    made.replace({stored.unit.file_id: [stored] for stored in made.encode(units)})
    yield made
    made.close()


@dataclass
class Asked:
    """The port with all it stands on within reach."""

    settings: Settings
    port: LanguageModels
    environment: dict[str, str]
    drawn: list[tuple[str, int | None]] = field(default_factory=list)
    picture: bytes | None = PICTURE

    def events(
        self,
        question: str = QUESTION,
        *,
        model: str = "",
        server: str = "",
        each: Callable[[Event], None] = lambda _event: None,
    ) -> list[Event]:
        """All events of an answer."""

        async def collect() -> list[Event]:
            found = []
            asked = Question(parse(question), question, (), model, server)
            async for event in self.port.answer(asked):
                each(event)
                found.append(event)
            return found

        return asyncio.run(collect())


@pytest.fixture
def server() -> Iterator[ScriptedModelServer]:
    with ScriptedModelServer() as made:
        yield made


@pytest.fixture
def asked(engine: Engine, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The port, with the scripted server on the one usual port that there is."""
    monkeypatch.setattr(finding, "PORTS", (server.port,))
    return port_over(engine)


def port_over(engine: Engine) -> Asked:
    """The port with settings of its own."""
    settings, environment = Settings(), dict[str, str]()

    def confirm(host: str) -> None:
        settings.ask_confirmed = host

    def draw(path: str, page: int | None, width: int, pixels: int) -> bytes:
        made.drawn.append((path, page))
        if made.picture is None:
            raise OSError("it can't be drawn")
        return made.picture

    def missing() -> tuple[Notice, ...]:
        return (notice("no-folders"),)

    port = LanguageModels(
        settings, confirm, lambda: Asking(engine), draw, missing, environment=environment
    )
    made = Asked(settings, port, environment)
    return made
