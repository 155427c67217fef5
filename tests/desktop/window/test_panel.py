"""The small panel: comes, asks, opens what answers, goes, and grows into the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import app as application
from desktop import strings as s
from desktop.connection import IndexerConnection
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.panel import ROWS, Panel
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.desktop.window.test_hurry import Held, stage


@pytest.fixture
def held(indexer: ScriptedIndexer) -> Iterator[Held]:
    holding = Held(indexer)
    yield holding
    for go in holding.go:
        go.set()


@pytest.fixture
def panel(qtbot: QtBot, base: BaseDir, indexer: ScriptedIndexer) -> Iterator[Panel]:
    service = IndexerConnection(base)
    settings = SettingsClient(base, Settings.load(base), service)
    made = Panel(base, settings, State.load(base.root), service)
    qtbot.addWidget(made)
    with qtbot.waitSignal(service.connected):
        made.appear()
    yield made
    made.hide()
    settings.close()
    made.shut_down()


def names(panel: Panel) -> list[str]:
    return [str(panel.model.index(row).data()) for row in range(panel.model.rowCount())]


def press(panel: Panel, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    QTest.keyClick(panel.search.field, key, *modifiers)


def test_it_asks_for_few_and_is_as_high_as_they_are(
    qtbot: QtBot, panel: Panel, indexer: ScriptedIndexer
) -> None:
    empty = panel.height()
    assert not panel.results.isVisible()
    found = [f"/d/{n}.md" for n in range(20)]
    indexer.stages = lambda _body: [stage("rescored", *found)]
    panel.search.set_text("boats")
    qtbot.waitUntil(lambda: panel.model.rowCount() == ROWS)
    assert indexer.bodies("POST", "/v1/search")[-1]["limit"] == ROWS
    last = panel.model.index(ROWS - 1)
    assert panel.results.viewport().rect().contains(panel.results.visualRect(last))
    assert panel.height() > empty + ROWS * 50
    panel.search.set_text("")
    qtbot.waitUntil(lambda: panel.height() == empty)


def test_enter_opens_and_it_goes(
    qtbot: QtBot, panel: Panel, indexer: ScriptedIndexer, opened: list[str]
) -> None:
    indexer.stages = lambda _body: [stage("rescored", "/d/a.md", "/d/b.md")]
    panel.search.set_text("boats")
    qtbot.waitUntil(lambda: names(panel) == ["a.md", "b.md"])
    press(panel, Qt.Key.Key_Down)
    press(panel, Qt.Key.Key_Return)
    assert opened == ["/d/b.md"]
    assert not panel.isVisible()
    assert "/d/b.md" in panel._state.opened
    assert panel._state.history == ["boats"]


def test_enter_never_opens_a_row_of_the_question_before(
    qtbot: QtBot, panel: Panel, indexer: ScriptedIndexer, held: Held, opened: list[str]
) -> None:
    indexer.stages = lambda _body: [stage("rescored", "/d/old.md")]
    panel.search.set_text("boats")
    qtbot.waitUntil(lambda: names(panel) == ["old.md"])
    held.answer(stage("names"), stage("rescored", "/d/new.md"))
    panel.search.set_text("invoices")
    press(panel, Qt.Key.Key_Return)
    press(panel, Qt.Key.Key_Down)  # past the end of rows that are no answer
    assert opened == []
    assert panel.isVisible()
    for go in held.go:
        go.set()
    qtbot.waitUntil(lambda: opened == ["/d/new.md"])


def test_what_is_left_opens_nothing_later(
    qtbot: QtBot, panel: Panel, held: Held, opened: list[str], base: BaseDir
) -> None:
    held.answer(stage("rescored", "/d/new.md"))
    panel.search.set_text("invoices")
    press(panel, Qt.Key.Key_Return)
    press(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()
    held.go[0].set()
    with qtbot.waitSignal(panel.service.connected):
        panel.appear()
    qtbot.waitUntil(lambda: panel.search.field.selectedText() == "invoices")
    assert opened == []


def test_it_grows_into_the_window(qtbot: QtBot, panel: Panel, indexer: ScriptedIndexer) -> None:
    indexer.stages = lambda _body: [stage("rescored", "/d/a.md")]
    panel.search.set_text("boats")
    qtbot.waitUntil(lambda: names(panel) == ["a.md"])
    with qtbot.waitSignal(panel.grown) as grown:
        press(panel, Qt.Key.Key_Down)  # past the end
    assert grown.args[0].text == "boats"
    assert not panel.isVisible()
    panel.appear()
    with qtbot.waitSignal(panel.grown):
        panel.search.menu.click()


def test_it_asks_in_the_window(qtbot: QtBot, panel: Panel) -> None:
    press(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)  # nothing is typed
    assert panel.isVisible()
    panel.search.set_text("who sails?")
    for ask in (
        lambda: press(panel, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier),
        panel.search.ask.click,
    ):
        with qtbot.waitSignal(panel.asked) as asked:
            ask()
        assert asked.args[0].text == "who sails?"
        assert not panel.isVisible()
        panel.appear()


def test_what_is_wrong_is_said(qtbot: QtBot, panel: Panel, indexer: ScriptedIndexer) -> None:
    panel.search.set_text("boats")
    qtbot.waitUntil(lambda: panel.said.text() == s.NOTHING)
    indexer.stages = lambda _body: [stage("rescored", "/d/gone.md")]
    panel.search.set_text("boat")
    qtbot.waitUntil(lambda: names(panel) == ["gone.md"])
    press(panel, Qt.Key.Key_Return)
    assert "gone.md" in panel.said.text()
    assert panel.isVisible()


def test_the_application_makes_each_when_it_is_wanted(
    qtbot: QtBot, qapp: QApplication, base: BaseDir, indexer: ScriptedIndexer
) -> None:
    """What waits for a key has no window; and the window takes over what was asked."""
    indexer.answers["GET", "/v1/recent"] = {"files": [hit("/d/recent.md")]}
    whole = application.Application(qapp, base, Settings.load(base))
    try:
        qtbot.waitUntil(lambda: whole.service.ready)
        assert (whole._window, whole._panel) == (None, None)
        whole.do("panel")
        assert whole.panel.isVisible()
        assert whole._window is None
        qtbot.waitUntil(whole.panel.isActiveWindow)
        whole.key.pressed.emit("")  # as the desktop tells it
        assert not whole.panel.isVisible()
        whole.key.pressed.emit("")
        assert whole.panel.isVisible()
        whole.panel.search.set_text("boats")
        whole.panel._grow()
        assert whole.window.isVisible()
        assert whole.window.search.text() == "boats"
        whole.toggle_panel()
        whole.panel.search.set_text("who sails?")
        whole.panel._ask_in_window()
        assert whole.window.search.text() == "who sails?"
        qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/ask")))
        assert indexer.bodies("POST", "/v1/ask")[0]["question"] == "who sails?"
        whole.do("ask", "sails")
        assert whole.window.search.text() == "sails"
        whole.do("similar", "/d/a.md")
        assert whole.window.question.like == "/d/a.md"
        qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/similar")))
    finally:
        whole.shut_down()
