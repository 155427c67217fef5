"""A scripted server, and the port over it in this very process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from engine.contract.asking import Event
from engine.contract.settings import Settings
from engine.contract.types import Query
from indexer.asking import finding
from indexer.asking.question import Question
from indexer.asking.service import LanguageModels
from tests.indexer.asking.stand_in import OneSource
from tests.scripted_model_server import ScriptedModelServer


@dataclass
class Asked:
    """The port with all it stands on within reach."""

    settings: Settings
    source: OneSource
    environment: dict[str, str]
    port: LanguageModels
    drawn: list[tuple[str, int | None]] = field(default_factory=list)

    def events(
        self,
        question: str = "What does the flat cost?",
        *,
        model: str = "",
        server: str = "",
        each: Callable[[Event], None] = lambda _event: None,
    ) -> list[Event]:
        """All events of an answer."""

        async def collect() -> list[Event]:
            found = []
            asked = Question(Query(question, question), question, (), model, server)
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
def asked(server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The port, with the scripted server on the one usual port that there is."""
    monkeypatch.setattr(finding, "PORTS", (server.port,))
    return port_over()


def port_over(settings: Settings | None = None) -> Asked:
    """The port over a source of its own."""
    settings = settings or Settings()
    source = OneSource()
    environment: dict[str, str] = {}

    def confirm(host: str) -> None:
        settings.ask_confirmed = host

    def draw(path: str, page: int | None, width: int, pixels: int) -> bytes:
        made.drawn.append((path, page))
        return b"\x89PNG picture"

    port = LanguageModels(settings, confirm, lambda: source, draw, environment=environment)
    made = Asked(settings, source, environment, port)
    return made
