"""A window whose indexer answers in sentences from a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.window.window import Window
from engine.contract import codec
from engine.contract.asking import Event
from tests.desktop.asking.scripts import ONE
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE

Ask = Callable[..., None]
FOUND = [hit(f"/home/ada/{name}.md") for name in ("boats", "oars", "sails")]


class Held:
    """Events that come when they are let go."""

    def __init__(self, indexer: ScriptedIndexer) -> None:
        self._indexer = indexer
        self._go = threading.Event()

    def answer(self, first: Iterable[Event], *rest: Event | None) -> None:
        """The next questions get `first` at once and `rest` after `go`."""
        self._go = go = threading.Event()
        at_once = list(first)

        def events(_body: dict[str, Any]) -> Iterator[Event | None]:
            yield from at_once
            go.wait(PATIENCE)
            yield from rest

        self._indexer.events = events

    def go(self) -> None:
        self._go.set()


@pytest.fixture
def held(indexer: ScriptedIndexer) -> Iterator[Held]:
    made = Held(indexer)
    yield made
    made.go()


@pytest.fixture
def ask(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> Ask:
    """Type a question, wait for its results, and ask it."""
    indexer.stages = lambda _body: [{"hits": FOUND, "stage": "rescored", "matches": 3}]
    indexer.answers["GET", "/v1/ask/servers"] = codec.to_data(ONE)

    def asked(text: str, events: Iterable[Event | None] | None = None) -> None:
        if events is not None:
            given = list(events)
            indexer.events = lambda _body: given
        window.search.set_text(text)
        qtbot.waitUntil(lambda: window.ask.settled and not window.search._busy)
        window.commands.run("ask")
        if events is not None:
            qtbot.waitUntil(lambda: not window.answering.running)

    return asked
