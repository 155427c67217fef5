"""A preview on a scripted indexer."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from desktop.connection import IndexerConnection
from desktop.preview.pane import PreviewPane
from tests.desktop.preview.previewing import PAGES, png
from tests.desktop.scripted_indexer import ScriptedIndexer


@pytest.fixture
def pane(qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer) -> PreviewPane:
    def picture(_target: str, query: dict[str, str]) -> bytes | None:
        page = int(query.get("page", "1"))
        return png(int(query.get("width", "64")), "#ffffff") if page <= PAGES else None

    indexer.pictures = picture
    made = PreviewPane(service)
    qtbot.addWidget(made)
    made.resize(500, 600)
    made.show()
    return made
