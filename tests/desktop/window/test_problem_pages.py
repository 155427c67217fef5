"""The index panel's pages of problems and of what is left out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.connection import IndexerConnection
from desktop.index.panel import IndexPanel
from tests.desktop.scripted_indexer import ScriptedIndexer


@pytest.fixture
def owner(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def panel(
    qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer, owner: QWidget
) -> IndexPanel:
    made = IndexPanel(service, owner)
    made.show()
    with qtbot.waitSignal(service.status_changed):
        service.refresh()
    return made


def test_files_read_in_part_are_listed_with_how_much(
    qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
) -> None:
    part = {
        "path": "/d/A/long.csv", "state": "done", "reason": "read-in-part", "retry": False,
        "sentence": "Only a part of it is indexed.", "detail": "3 of 5 pages read.",
    }  # fmt: skip
    indexer.answers["GET", "/v1/problems"] = lambda query: {
        "problems": [part] if query["state"] == "partly" else [], "counts": {},
    }  # fmt: skip
    panel.show_tab("problems")
    model = panel.problems.list.model()
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    said = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "/d/A/long.csv: Only a part of it is indexed. 3 of 5 pages read."
    assert not panel.problems._empty.isVisible()


def test_nothing_is_said_to_be_read_while_something_waits(
    qtbot: QtBot, panel: IndexPanel, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    panel.show_tab("problems")
    empty = panel.problems._empty
    qtbot.waitUntil(lambda: empty.isVisible() and empty.text() == s.NO_PROBLEMS)
    indexer.status["totals"] = {"files": 13, "pending": 4}
    with qtbot.waitSignal(service.status_changed):
        service.refresh()
    panel.problems.load()
    qtbot.waitUntil(lambda: empty.text() == s.still_to_read(4))


def test_rules_are_listed_and_what_one_leaves_out(
    qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
) -> None:
    rule = {
        "reason": "gitignore", "rule": "*.log", "source": "/d/A/.gitignore:3", "files": 2,
        "folders": 1, "sentence": "A .gitignore names it.", "hint": "Do so.",
    }  # fmt: skip
    link = {**rule, "reason": "link", "rule": "", "source": "", "sentence": "It is a link."}
    entry = {
        "path": "/d/A/x.log", "state": "left-out", "reason": "gitignore", "retry": False,
        "sentence": "A .gitignore names it.", "detail": "*.log", "folder": False,
    }  # fmt: skip
    asked: list[dict[str, str]] = []

    def answer(query: dict[str, str]) -> dict[str, object]:
        asked.append(query)
        chosen = "rule" in query
        return {"problems": [entry] if chosen else [], "left_out": [rule, link], "counts": {}}

    indexer.answers["GET", "/v1/problems"] = answer
    panel.show_tab("left-out")
    page = panel.left_out
    model = page.list.model()
    qtbot.waitUntil(lambda: model.rowCount() == 2)
    said = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)]
    assert said == [
        "*.log, 2 files · 1 folder: A .gitignore names it. Do so.",
        "It is a link, 2 files · 1 folder: Do so.",
    ]
    assert not page.back.isVisible()
    page.list.setCurrentIndex(model.index(0, 0))
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.back.isVisible() and model.rowCount() == 1)
    assert (asked[-1]["reason"], asked[-1]["rule"]) == ("gitignore", "*.log")
    assert model.index(0, 0).data() == "x.log"
    assert "Do so." in page.note.text()
    page.back.click()
    qtbot.waitUntil(lambda: not page.back.isVisible() and model.rowCount() == 2)
