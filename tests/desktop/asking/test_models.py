"""Which language model answers: none, several, another computer's, or none that is allowed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot

from desktop.asking import strings as s
from desktop.asking.confirm_dialog import ConfirmDialog
from desktop.window.answer_mode import elsewhere
from desktop.window.window import Window
from engine.contract import codec
from engine.contract.asking import Failed, LanguageServer, ServedModel, Servers
from engine.contract.errors import InklingError
from engine.contract.settings import Settings
from tests.desktop.asking.conftest import Ask
from tests.desktop.asking.scripts import NONE, ONE, answer, said, source
from tests.desktop.scripted_indexer import ScriptedIndexer

SOURCES = [source(1, "/home/ada/boats.md", "The boat is blue.")]
BLUE = said("The boat is blue.", 1, before="")
REFUSED = [Failed(InklingError("No language model was found.").as_data())]
HOST = "gpu.example.org"


def shown(window: Window) -> str:
    """All that the page about models says."""
    return "\n".join(label.text() for label in window.answering.panel.servers.findChildren(QLabel))


def click(window: Window, words: str) -> None:
    [button] = [b for b in window.answering.panel.servers.buttons if b.text() == words]
    button.click()


def answers_from(indexer: ScriptedIndexer, servers: Servers) -> None:
    indexer.answers["GET", "/v1/ask/servers"] = codec.to_data(servers)


def on_page(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.answering.panel.reads)


def test_without_one_it_is_said_how_to_get_one(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    answers_from(indexer, NONE)
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    said_there = shown(window)
    assert s.NO_SERVER in said_there
    for way in NONE.how_to:
        assert "\n".join(way.commands) in said_there
    [first, *_] = window.answering.panel.servers.buttons
    first.click()
    assert QGuiApplication.clipboard().text() == "\n".join(NONE.how_to[0].commands)
    assert window.status.label.text() == s.COMMANDS_COPIED
    window.search.field.setFocus()  # by Tab to each button, and Esc leads out
    met = []
    while window.focusWidget() not in (window.search.menu, window.status.index):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    while window.focusWidget() is not window.status.index:
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        met.append(window.focusWidget())
    buttons = window.answering.panel.servers.buttons
    assert met[: len(buttons)] == buttons
    click(window, s.LOOK_AGAIN)  # there is none yet
    qtbot.waitUntil(lambda: len(indexer.bodies("GET", "/v1/ask/servers")) == 2)
    answers_from(indexer, ONE)
    indexer.events = lambda _body: answer(SOURCES, BLUE)
    on_page(qtbot, window)
    click(window, s.LOOK_AGAIN)
    qtbot.waitUntil(lambda: "is blue" in window.answering.panel.view.toPlainText())
    qtbot.waitUntil(lambda: not window.answering.running)
    assert window.answering.panel.reads
    QTest.keyClick(window.answering.panel.model, Qt.Key.Key_Escape)
    assert window.results is window.answers.results


def test_another_model_is_chosen_from_a_menu(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    ask("blue boat", answer(SOURCES, BLUE))
    window.answering.panel.model.click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    first, second = menu.actions()[:2]
    assert first.isChecked()
    assert s.SEES in first.text()
    assert not first.icon().isNull()
    assert s.SEES not in second.text()
    second.trigger()
    menu.close()
    qtbot.waitUntil(lambda: window.settings.values.ask_model == "llama3.2:3b")
    assert window.settings.values.ask_server == ONE.servers[0].url
    assert window.answering.panel.model.text() == s.NEXT_MODEL


def test_where_the_named_one_is_gone_others_are_offered(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    gone = InklingError("No language model answers at http://127.0.0.1:1/v1.").as_data()
    named = LanguageServer("http://127.0.0.1:1/v1", error=gone)
    answers_from(indexer, Servers((named, *ONE.servers)))
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    assert "No language model answers at http://127.0.0.1:1/v1." in shown(window)
    indexer.events = lambda _body: answer(SOURCES, BLUE)
    click(window, "llama3.2:3b · Ollama")
    qtbot.waitUntil(lambda: "is blue" in window.answering.panel.view.toPlainText())
    assert indexer.settings["ask_model"] == "llama3.2:3b"


def test_another_computer_is_asked_only_once_its_name_was_typed(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    indexer.change_setting("ask_server", f"http://{HOST}:8000/v1")
    answers_from(indexer, Servers(to_confirm=HOST))

    def confirmed(body: dict[str, str]) -> object:
        indexer.change_setting("ask_confirmed", body["host"].lower())
        return codec.to_data(ONE)

    indexer.answers["POST", "/v1/ask/confirm"] = confirmed
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    assert HOST in shown(window)
    assert not window.status.elsewhere.isVisible()
    click(window, s.CONFIRM)
    dialog = window.findChild(ConfirmDialog)
    assert dialog is not None
    assert not dialog.take.isEnabled()
    dialog.field.setText("gpu.example")
    assert not dialog.take.isEnabled()
    dialog.field.setText(HOST.upper())
    indexer.events = lambda _body: answer(SOURCES, BLUE)
    dialog.take.click()
    qtbot.waitUntil(lambda: "is blue" in window.answering.panel.view.toPlainText())
    assert indexer.bodies("POST", "/v1/ask/confirm") == [{"host": HOST.upper()}]
    qtbot.waitUntil(window.status.elsewhere.isVisible)
    assert window.status.elsewhere.text() == s.ELSEWHERE.format(host=HOST)
    window.status.elsewhere.click()  # the way back
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: not window.status.elsewhere.isVisible())
    assert indexer.settings["ask_server"] == ""


def test_one_that_was_not_confirmed_is_taken_back(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    indexer.change_setting("ask_server", f"http://{HOST}:8000/v1")
    answers_from(indexer, Servers(to_confirm=HOST))
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    answers_from(indexer, ONE)
    indexer.events = lambda _body: answer(SOURCES, BLUE)
    click(window, s.ONLY_HERE)
    qtbot.waitUntil(lambda: "is blue" in window.answering.panel.view.toPlainText())
    assert indexer.settings["ask_server"] == ""


def test_what_a_policy_forbids_is_said_with_its_file(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    file = "/etc/inkling/policy.toml"
    other = LanguageServer(f"http://{HOST}/v1", local=False, error=InklingError("No.").as_data())
    answers_from(indexer, Servers((other,), forbidden_by=file))
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    assert file in shown(window)
    assert s.FORBIDDEN in shown(window)
    all_of_it = InklingError("No language model may be asked: {path} says so.", told={"path": file})
    answers_from(indexer, Servers(forbidden_by=file, error=all_of_it.as_data()))
    window.answering.try_again()
    qtbot.waitUntil(lambda: s.NO_ANSWERS in shown(window))
    assert f"No language model may be asked: {file} says so." in shown(window)


@pytest.mark.parametrize(
    ("server", "confirmed", "told"),
    [
        ("", "", ""),
        ("http://127.0.0.1:8000/v1", "127.0.0.1", ""),
        ("http://[::1]:8000/v1", "::1", ""),
        ("http://localhost/v1", "localhost", ""),
        (f"http://{HOST}:8000/v1", "", ""),
        (f"http://{HOST}:8000/v1", "other.example.org", ""),
        (f"https://{HOST.upper()}/v1", HOST, HOST),
        ("http://[broken", HOST, ""),
    ],
)
def test_who_else_answers(server: str, confirmed: str, told: str) -> None:
    assert elsewhere(Settings(ask_server=server, ask_confirmed=confirmed)) == told


def test_a_model_that_a_server_offers_is_text(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    odd = LanguageServer("http://127.0.0.1:9/v1", "vLLM", models=(ServedModel("<b>x</b> & y"),))
    answers_from(indexer, Servers((odd,)))
    ask("blue boat", REFUSED)
    on_page(qtbot, window)
    assert window.answering.panel.servers.buttons[0].text() == "<b>x</b> && y · vLLM"
