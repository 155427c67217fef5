"""The model page over a real indexer: weights that are here are used after one yes."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.client import Client
from desktop.connection import IndexerConnection
from desktop.index.model_page import ModelPage
from engine.contract.paths import BaseDir
from engine.models.registry import DEFAULT_MODEL, MODELS
from tests.engine.encoders.jina_tiny import CHECKPOINT
from tests.waiting import PATIENCE, until


@pytest.fixture
def client(base: BaseDir) -> Iterator[Client]:
    client = Client.connect(base)
    process = psutil.Process(client.endpoint.pid)
    yield client
    client.stop()
    process.wait(PATIENCE)


@pytest.fixture
def page(base: BaseDir, client: Client, qtbot: QtBot) -> Iterator[ModelPage]:
    service = IndexerConnection(base)
    window = QWidget()
    qtbot.addWidget(window)
    page = ModelPage(service, window)
    window.show()
    with qtbot.waitSignal(service.connected):
        service.start()
    yield page
    service.close()


def buttons(page: ModelPage, text: str, model: str) -> list[QPushButton]:
    """What a model's card offers: told apart by what a screen reader says."""
    name = s.MODEL_BUTTON.format(action=text, title=MODELS[model].title)
    return [each for each in page.findChildren(QPushButton) if each.accessibleName() == name]


def texts(page: ModelPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def in_use(page: ModelPage, client: Client, qtbot: QtBot, model: str) -> None:
    """Until the indexer uses the model and the page shows it."""
    # Asked here, not by the page: a page that is asked again drops the answer it waits for.
    until(lambda: client.call("GET", "/v1/models")["current"] == model)
    page.load()
    qtbot.waitUntil(lambda: page._shown.get("current") == model)


def test_use_and_go_back(page: ModelPage, client: Client, qtbot: QtBot) -> None:
    body = {"path": str(CHECKPOINT), "licence_accepted": True}
    client.call("POST", "/v1/models/add", body)
    page.load()
    qtbot.waitUntil(lambda: len(buttons(page, s.MODEL_USE, "jina-v4")) == 1)
    assert not buttons(page, s.MODEL_USE, DEFAULT_MODEL)  # in use
    buttons(page, s.MODEL_USE, "jina-v4")[0].click()

    in_use(page, client, qtbot, "jina-v4")
    assert s.MODEL_CURRENT in texts(page)
    # The row that was drawn before goes with the next events, and its button with it.
    qtbot.waitUntil(lambda: not buttons(page, s.MODEL_USE, "jina-v4"))
    # The default comes with Inkling: no licence to ask for.
    buttons(page, s.MODEL_USE, DEFAULT_MODEL)[0].click()
    in_use(page, client, qtbot, DEFAULT_MODEL)
    assert not page.findChildren(QMessageBox)
    buttons(page, s.MODEL_REMOVE, "jina-v4")[0].click()
    qtbot.waitUntil(lambda: len(buttons(page, s.MODEL_DOWNLOAD, "jina-v4")) == 1)


def test_the_licence_is_asked_for(page: ModelPage, qtbot: QtBot) -> None:
    page.load()
    qtbot.waitUntil(lambda: len(buttons(page, s.MODEL_DOWNLOAD, "jina-v4")) == 1)
    buttons(page, s.MODEL_DOWNLOAD, "jina-v4")[0].click()
    [box] = page.findChildren(QMessageBox)
    assert "no commercial use" in box.informativeText()
    box.reject()
