"""Seeing pictures is offered on the home page after the first index; “not now” is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.presentation import model_strings as ms
from desktop.state import State
from desktop.window.window import Window
from desktop.wording import figures
from engine.contract.paths import BaseDir
from tests.desktop.scripted_indexer import ScriptedIndexer

OFFER: dict[str, Any] = {
    "id": "embeddinggemma-onnx",
    "title": "EmbeddingGemma 2 in 8 bits",
    "download_bytes": 541_800_000,
    "licence": "Apache-2.0",
    "commercial_use": True,
    "pictures": 1240,
    "seconds": 7200,
    "how": "estimated",
}


@pytest.fixture
def offering(indexer: ScriptedIndexer) -> ScriptedIndexer:
    indexer.status["sight"] = {"pictures": 1240, "looked_at": 1240, "model": None}
    indexer.status["state"] = "idle"
    indexer.answers["GET", "/v1/models"] = {"models": [], "current": "minilm", "offer": OFFER}
    return indexer


def test_it_says_what_it_weighs_and_takes_and_goes_when_something_is_asked(
    qtbot: QtBot, offering: ScriptedIndexer, window: Window
) -> None:
    card = window.answers.offer
    window.service.refresh()
    qtbot.waitUntil(card.isVisible)
    assert card.title.text() == f"{ms.SIGHT_TITLE}: {ms.SIGHT_FREE}, {figures.size(541_800_000)}"
    assert "2 hours" in card.time.text()
    assert "1,240 pictures" in card.time.text()
    assert "estimated" in card.time.text()
    window.search.set_text("anything")
    qtbot.waitUntil(lambda: not card.isVisible())
    window.answers.show_offer({"offer": OFFER})  # what was asked for at home, and comes late
    assert not card.isVisible()
    window.search.set_text("")
    qtbot.waitUntil(card.isVisible)
    wanted: list[str] = []
    window.answers.action_wanted.disconnect()
    window.answers.action_wanted.connect(wanted.append)
    card.start.click()
    assert wanted == ["models"]


def test_not_now_is_remembered(
    qtbot: QtBot, offering: ScriptedIndexer, window: Window, base: BaseDir
) -> None:
    card = window.answers.offer
    window.service.refresh()
    qtbot.waitUntil(card.isVisible)
    card.other.click()
    assert not card.isVisible()
    assert State.load(base.root).sight_declined
    asked = len(offering.bodies("GET", "/v1/models"))
    window.service.refresh()
    window.show_home()
    assert not card.isVisible()
    assert len(offering.bodies("GET", "/v1/models")) == asked


def test_where_pictures_are_seen_nothing_is_offered(
    qtbot: QtBot, offering: ScriptedIndexer, window: Window
) -> None:
    offering.status["sight"]["model"] = {"id": "neomme-260m"}
    window.sight_offer.take_status(offering.status)
    assert not window.answers.offer.isVisible()
