"""Asking in the window: an answer as it comes, citations, keys, follow-ups, stopping, copying."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.asking import strings as s
from desktop.asking.answer_view import AnswerView, spoken
from desktop.asking.given_dialog import GivenDialog
from desktop.presentation import model_strings as ms
from desktop.results.model import Role
from desktop.window.window import Window
from engine.contract.asking import Draft, Dropped, Finished, Found
from engine.contract.errors import InklingError
from engine.contract.types import Hit, Notice
from tests.desktop.asking.conftest import Ask, Held
from tests.desktop.asking.scripts import answer, found, said, source
from tests.desktop.scripted_indexer import ScriptedIndexer

SOURCES = [
    source(1, "/home/ada/manual.pdf", "The boat is blue.", page=3, kind="pdf"),
    source(2, "/home/ada/manual.pdf", "Oars are in the shed.", page=7, kind="pdf"),
    source(3, "/home/ada/boats.md", "Sails are white.", lines=(4, 9)),
]
BLUE = said("The boat is blue.", 1, before="")
OARS = said("Oars are in the shed.", 2, 3)


def view(window: Window) -> AnswerView:
    return window.answering.panel.view


def text(window: Window) -> str:
    return view(window).toPlainText()


def press(window: Window, keys: str) -> None:
    window.activateWindow()
    QTest.keySequence(QApplication.focusWidget() or window, QKeySequence(keys))


def path(window: Window) -> tuple[str, int | None]:
    """The file and page that the preview is of."""
    hit = window.preview.hit
    assert isinstance(hit, Hit)
    return hit.path, hit.location.page


def test_the_key_asks_and_the_answer_stands_above_its_sources(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    ask("blue boat", answer(SOURCES, BLUE, OARS, dropped=2))
    [body] = indexer.bodies("POST", "/v1/ask")
    assert (body["question"], body["turns"], body["plain"]) == ("blue boat", [], [])
    panel = window.answering.panel
    assert panel.isVisible()
    assert text(window).startswith(
        "blue boat\nThe boat is blue.\u202f\u202f[1] Oars are in the shed."
    )
    assert "2 sentences had no source." in text(window)
    assert window.results is window.answers.sources
    rows = [window.results.model().index(row, 0) for row in range(3)]
    assert [row.data(Role.NUMBER) for row in rows] == [1, 2, 3]
    assert all(row.data(Role.CITED) for row in rows)
    assert path(window) == ("/home/ada/manual.pdf", 3)
    assert window.status.count.text() == s.sources(3)
    assert not window.status.sort.isVisible()
    assert panel.model.text() == "qwen2.5vl:7b"
    assert window.actions_by_id["copy_answer"].isEnabled()
    assert window.state.history == ["blue boat"]  # as a search; of the answer nothing is kept


def test_the_key_and_the_button_are_there(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    assert not window.search.ask.isVisible()
    assert not window.actions_by_id["ask"].isEnabled()
    ask("blue boat", answer(SOURCES, BLUE))
    press(window, "Ctrl+Return")  # what is answered already is asked on
    qtbot.waitUntil(window.answering.panel.field.hasFocus)
    assert len(indexer.bodies("POST", "/v1/ask")) == 1
    window.search.set_text("white sails")
    qtbot.waitUntil(lambda: not window.answering.shown)
    window.search.focus()
    press(window, "Ctrl+Return")
    qtbot.waitUntil(lambda: len(indexer.bodies("POST", "/v1/ask")) == 2)
    qtbot.waitUntil(lambda: not window.answering.running)
    window.commands.run("dismiss")
    window.search.ask.click()  # the one that was left, as it was
    assert window.answering.panel.isVisible()
    assert window.results is window.answers.sources
    assert "The boat is blue." in text(window)
    assert len(indexer.bodies("POST", "/v1/ask")) == 2
    window.commands.run("new_question")
    window.search.ask.click()
    qtbot.waitUntil(lambda: len(indexer.bodies("POST", "/v1/ask")) == 3)


def test_drafts_are_grey_and_give_way(qtbot: QtBot, window: Window, ask: Ask, held: Held) -> None:
    held.answer([found(SOURCES), Draft("The boat is"), Draft(" red. [9]")], Dropped(1), BLUE)
    ask("blue boat")
    qtbot.waitUntil(lambda: "red" in text(window))
    cursor = view(window).document().find("red")
    assert cursor.charFormat().foreground().color() == window.palette().placeholderText().color()
    assert s.STOP in window.answering.panel.stop.text()
    assert window.answering.panel.stop.isVisible()
    held.go()
    qtbot.waitUntil(lambda: "The boat is blue." in text(window))
    assert "red" not in text(window)
    proven = view(window).document().find("blue.")
    assert proven.charFormat().foreground().color() == window.palette().text().color()


def test_what_is_waited_for_is_said(qtbot: QtBot, window: Window, ask: Ask, held: Held) -> None:
    held.answer([found(SOURCES)], BLUE)
    ask("blue boat")
    assert s.SEARCHING in text(window)
    qtbot.waitUntil(lambda: s.reading(3) in text(window))
    window.answering._since -= 12  # that long ago
    window.answering._show_waiting()
    assert s.waiting(12) in text(window)
    held.go()
    qtbot.waitUntil(lambda: "is blue" in text(window))
    assert s.waiting(12) not in text(window)


def test_escape_stops_at_once_then_leaves_then_clears(
    qtbot: QtBot, window: Window, ask: Ask, held: Held, indexer: ScriptedIndexer
) -> None:
    held.answer([found(SOURCES), BLUE, Draft("And")], OARS)
    ask("blue boat")
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    window.answering.leave()
    window.results.step(2)
    chosen = window.results.hit()
    window.commands.run("ask")
    qtbot.waitUntil(lambda: "And" in text(window))
    press(window, "Escape")
    assert not window.answering.running
    assert indexer.hung_up.wait(60)  # before the server had anything more to say
    assert s.STOPPED in text(window)
    assert "And" not in text(window)
    assert "The boat is blue." in text(window)  # what is proven stays
    assert window.answering.shown
    press(window, "Escape")
    assert not window.answering.panel.isVisible()
    assert window.results is window.answers.results
    assert window.results.hit() == chosen
    assert path(window)[0] == "/home/ada/sails.md"
    assert window.search.text() == "blue boat"
    press(window, "Escape")
    assert window.search.text() == ""


def test_typing_on_searches_again(qtbot: QtBot, window: Window, ask: Ask) -> None:
    ask("blue boat", answer(SOURCES, BLUE))
    window.search.focus(select=False)
    QTest.keyClicks(window.search.field, "s")
    qtbot.waitUntil(lambda: not window.answering.shown)
    assert window.results is window.answers.results
    window.commands.run("ask")
    window.commands.run("new_question")
    assert not window.answering.shown
    assert window.search.field.selectedText() == "blue boats"


def test_a_citation_leads_to_its_source(qtbot: QtBot, window: Window, ask: Ask) -> None:
    ask("blue boat", answer(SOURCES, BLUE, OARS))
    shown = view(window)
    for chip, place in zip(
        shown.chips,
        (("/home/ada/manual.pdf", 3), ("/home/ada/manual.pdf", 7), ("/home/ada/boats.md", None)),
        strict=True,
    ):
        at = shown.chip_area(chip).center().toPoint()
        QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert path(window) == place
        assert window.results.currentIndex().data(Role.NUMBER) == chip.number
    press(window, "Alt+1")
    assert path(window) == ("/home/ada/manual.pdf", 3)
    assert shown._current == (0, 1)
    window.results.step(1)  # who goes through the list sees what cites it
    assert shown._current == (0, 2)
    press(window, "Alt+1")
    press(window, "Alt+9")  # there is none
    assert path(window) == ("/home/ada/manual.pdf", 3)
    shown.moveCursor(QTextCursor.MoveOperation.Start)
    shown.setFocus()
    for _ in range(2):
        QTest.keyClick(shown, Qt.Key.Key_Tab)
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert path(window) == ("/home/ada/manual.pdf", 7)
    assert [shown.tip(chip).split("\n")[0] for chip in shown.chips] == [
        "manual.pdf, Page 3", "manual.pdf, Page 7", "boats.md, Lines 4–9",
    ]  # fmt: skip


def test_a_doubtful_citation_looks_and_sounds_so(qtbot: QtBot, window: Window, ask: Ask) -> None:
    doubtful = said("It is fast.", -1, before="")
    unread = said("It is seen here.", 3, support=None)
    ask("blue boat", answer(SOURCES, doubtful, unread))
    assert "[1?]" in text(window)
    first, second = view(window).chips
    assert view(window).tip(first).startswith(s.DOUBTFUL)
    assert view(window).tip(second).startswith(s.UNREAD)
    assert s.DOUBTFUL in spoken(doubtful)
    sure = view(window).grab().toImage()
    ask("blue boat?", answer(SOURCES, said("It is fast.", 1, before="")))
    assert view(window).grab().toImage() != sure


def test_finished_sentences_are_said_and_drafts_are_not(
    window: Window, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(AnswerView, "_say", lambda _view, words: heard.append(words))
    QAccessible.setActive(True)
    try:
        ask("blue boat", answer(SOURCES, BLUE, OARS, dropped=2))
    finally:
        QAccessible.setActive(False)
    assert heard == [spoken(BLUE), spoken(OARS), s.dropped(2)]


def test_a_tooltip_is_text(window: Window, ask: Ask) -> None:
    from desktop.asking.answer_view import _plain

    assert _plain("a <img src=x>\nb") == "<qt>a &lt;img src=x&gt;<br>b</qt>"


def test_a_follow_up_takes_the_conversation_along(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    ask("blue boat", answer(SOURCES, BLUE))
    second = [source(1, "/home/ada/oars.md", "Two oars.")]
    indexer.events = lambda _body: answer(second, said("Two.", 1, before=""))
    field = window.answering.panel.field
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Down)
    assert window.results.hasFocus()
    QTest.keyClick(window.results, Qt.Key.Key_Up)
    assert field.hasFocus()
    QTest.keyClicks(field, "how many oars?")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Two." in text(window) and not window.answering.running)
    body = indexer.bodies("POST", "/v1/ask")[-1]
    assert body["question"] == "how many oars?"
    assert body["turns"] == [
        {"question": "blue boat", "answer": "The boat is blue.", "units": ["1:0"]}
    ]
    assert field.text() == ""
    assert "The boat is blue." in text(window)  # earlier ones stay above
    assert path(window)[0] == "/home/ada/oars.md"
    window.answering.show_source(0, 1)  # a citation of the earlier answer
    assert path(window) == ("/home/ada/manual.pdf", 3)
    assert window.results.model().rowCount() == 3
    assert window.state.history == ["blue boat"]
    window.commands.run("copy_conversation")
    copied = QGuiApplication.clipboard().text()
    assert copied.count("## ") == 2
    assert "file:///home/ada/oars.md" in copied
    window.commands.run("copy_answer")
    assert QGuiApplication.clipboard().text().startswith("Two. [")
    assert window.status.label.text() == s.ANSWER_COPIED


def test_results_do_not_come_between(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    """An index that grows asks the search again; the sources stay."""
    ask("blue boat", answer(SOURCES, BLUE))
    searches = len(indexer.bodies("POST", "/v1/search"))
    indexer.status["files_revision"] += 1
    with qtbot.waitSignal(window.service.status_changed):
        window.service.refresh()
    assert len(indexer.bodies("POST", "/v1/search")) == searches
    assert window.results is window.answers.sources


def test_where_nothing_matches_the_list_stays(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    ask("regatta", [Found(weak=True), Finished("nothing")])
    assert not window.answering.shown
    assert not window.answering.panel.isVisible()
    assert window.notice.label.text() == s.WEAK
    assert window.model.rowCount() == 3
    ask("blue boat", answer(SOURCES, BLUE))
    indexer.events = lambda _body: [Found(weak=True), Finished("nothing")]
    window.answering.follow_up("and the regatta?")
    qtbot.waitUntil(lambda: s.WEAK in text(window))
    assert window.answering.shown


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([Finished("complete", dropped=3)], s.NO_SENTENCE),
        ([Finished("complete")], s.EMPTY),
        ([BLUE, Finished("length")], s.CUT),
    ],
)
def test_how_an_answer_ended_is_said(
    window: Window, ask: Ask, events: list[Any], told: str
) -> None:
    ask("blue boat", [found(SOURCES), *events])
    assert told in text(window)


def test_a_connection_that_dies_is_said_and_tried_again(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    ask("blue boat", [found(SOURCES), BLUE, Draft("And then"), None])
    panel = window.answering.panel
    qtbot.waitUntil(panel.failure.isVisible)
    assert panel.failure.text() == "The answer broke off."
    assert "The boat is blue." in text(window)
    assert "And then" not in text(window)
    indexer.events = lambda _body: answer(SOURCES, OARS)
    panel.again.click()
    qtbot.waitUntil(lambda: "Oars are" in text(window))
    assert "The boat is blue." not in text(window)  # the whole answer comes anew
    assert not panel.failure.isVisible()


def test_a_refusal_is_said(
    qtbot: QtBot, window: Window, ask: Ask, indexer: ScriptedIndexer
) -> None:
    indexer.answers["POST", "/v1/ask"] = InklingError("It is too long.", hint="Ask less.")
    ask("blue boat")
    panel = window.answering.panel
    qtbot.waitUntil(panel.failure.isVisible)
    assert panel.failure.text() == "It is too long. Ask less."
    window.commands.run("ask")  # the key tries again, too
    qtbot.waitUntil(lambda: len(indexer.bodies("POST", "/v1/ask")) == 2)


def test_what_a_person_should_know_stands_above_the_sources(window: Window, ask: Ask) -> None:
    known = (Notice("not-known-here"), Notice("language", {"model": "MiniLM", "language": "fi"}))
    ask("blue boat", [found(SOURCES, notices=known), BLUE, Finished("complete")])
    sentence = ms.NOTICES["language"][0].format(model="MiniLM", language="Finnish")
    assert window.notice.label.text() == sentence
    window.commands.run("dismiss")
    assert window.notice.label.text() == ""  # of the results there is nothing to say


def test_what_the_model_was_given_is_shown(window: Window, ask: Ask) -> None:
    ask("blue boat", answer(SOURCES, BLUE))
    window.commands.run("given")
    dialog = window.commands._dialogs["given"]
    assert isinstance(dialog, GivenDialog)
    assert "Answer from the sources alone." in dialog.prompt.toPlainText()
    words = [label.text() for label in dialog.findChildren(type(window.status.count))]
    assert "manual.pdf, Page 3" in words
    assert s.given_room(1_840, 8_000) in words


def test_the_window_goes_in_the_midst_of_an_answer(
    qtbot: QtBot, window: Window, ask: Ask, held: Held, indexer: ScriptedIndexer
) -> None:
    held.answer([found(SOURCES), Draft("And")], OARS)
    ask("blue boat")
    qtbot.waitUntil(lambda: "And" in text(window))
    window.service.close()
    assert indexer.hung_up.wait(60)


def test_another_palette_sets_it_anew(qtbot: QtBot, window: Window, ask: Ask) -> None:
    ask("blue boat", answer(SOURCES, BLUE, OARS, dropped=1))
    before, chips = text(window), list(view(window).chips)
    palette = window.palette()
    palette.setColor(palette.ColorRole.WindowText, Qt.GlobalColor.darkRed)
    view(window).setPalette(palette)
    assert text(window) == before
    assert view(window).chips == chips
