"""The index is deleted from the window: after a question, wholly, or it is told why not."""

from __future__ import annotations

import pytest
from filelock import FileLock
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from desktop import client
from desktop import strings as s
from desktop.settings.dialog import SettingsDialog
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer
from tests.desktop.window.test_dialogs import press


def test_the_index_is_deleted_under_privacy(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.commands.run("settings")
    dialog = window.commands._dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    buttons[s.DELETE_INDEX_BUTTON].click()
    (box,) = window.findChildren(QMessageBox)
    assert not indexer.bodies("POST", "/v1/stop")
    indexer.answers["POST", "/v1/stop"] = {}
    rows = window.base.store / "rows.lance"
    rows.write_text("what was read")
    window.base.ledger.write_text("names")
    press(box)
    qtbot.waitUntil(lambda: window.status.label.text() == s.INDEX_DELETED)
    assert len(indexer.bodies("POST", "/v1/stop")) == 1
    assert not rows.exists()
    assert not window.base.ledger.exists()
    qtbot.waitUntil(lambda: window.service.ready)


def test_an_index_that_is_not_deleted_is_told(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ORDERLY_SECONDS", 0.05)
    indexer.answers["POST", "/v1/stop"] = {}
    rows = window.base.store / "rows.lance"
    rows.touch()
    with FileLock(window.base.lock):  # as one that hangs
        window.commands._delete_index()
        qtbot.waitUntil(lambda: "does not end" in window.notice.label.text())
    assert rows.exists()
    qtbot.waitUntil(lambda: window.service.ready)  # and is asked again
