"""Results said to answer the question, or not: kept by the indexer, taken back, forgotten."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit

BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def judged(indexer: ScriptedIndexer) -> list[dict[str, Any]]:
    return indexer.bodies("POST", "/v1/judgements")


def ask(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    indexer.answers[("POST", "/v1/judgements")] = lambda _body: {"judged": len(judged(indexer))}
    page = {"location": {"page": 4}}
    hits = [hit("/d/lease.pdf", **page), hit("/d/notes.md")]
    indexer.stages = lambda _body: [{"hits": hits, "stage": "rescored"}]
    window.search.set_text("when do I get the deposit back")
    qtbot.waitUntil(lambda: window.model.rowCount() == 2 and not window.model.stale)
    window.results.setFocus()


def test_what_is_selected_answers_or_does_not_and_it_is_taken_back(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer)
    QTest.keyClick(window.results, Qt.Key.Key_Y, BOTH)
    qtbot.waitUntil(lambda: len(judged(indexer)) == 1)
    first = {
        "question": "when do I get the deposit back",
        "path": "/d/lease.pdf",
        "page": 4,
        "right": True,
    }
    assert judged(indexer) == [first]
    qtbot.waitUntil(lambda: s.JUDGED_RIGHT in window.notice.label.text())
    QTest.keyClick(window.results, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(judged(indexer)) == 2)
    assert judged(indexer)[1] == {**first, "right": None}
    QTest.keyClick(window.results, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    window.actions_by_id["no_answer"].trigger()
    qtbot.waitUntil(lambda: len(judged(indexer)) == 4)
    told = [(body["path"], body["page"], body["right"]) for body in judged(indexer)[2:]]
    assert told == [("/d/lease.pdf", 4, False), ("/d/notes.md", None, False)]


def test_without_a_question_there_is_nothing_to_judge(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer)
    assert window.actions_by_id["answers"].isEnabled()
    window.search.set_text("")
    qtbot.waitUntil(lambda: not window.actions_by_id["answers"].isEnabled())


def test_what_was_judged_is_forgotten(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    indexer.answers[("DELETE", "/v1/judgements")] = {"judged": 0}
    window.actions_by_id["forget_judged"].trigger()
    qtbot.waitUntil(lambda: ("DELETE", "/v1/judgements", {}) in indexer.asked)
