"""A question stands while the index grows: what was read since is in its answer."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.window import search_controller
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


def shown(window: Window) -> list[str]:
    return [window.model.index(row, 0).data() for row in range(window.model.rowCount())]


def grow(window: Window, indexer: ScriptedIndexer, state: str, *names: str) -> None:
    """The index holds so many files now, all of which answer every question."""
    hits = [hit(f"/d/{name}") for name in names]
    indexer.stages = lambda _body: [{"stage": "words", "hits": hits},
                                    {"stage": "rescored", "hits": hits}]  # fmt: skip
    indexer.status["state"] = state
    indexer.status["folders"] = [{"path": "/d", "online": True}]
    indexer.status["totals"] = {"files": 90, "done": 80 + len(names), "pending": 8}
    indexer.status["files_revision"] = 80 + len(names)
    window.service.refresh()


def ask(qtbot: QtBot, window: Window, indexer: ScriptedIndexer, *names: str) -> None:
    with qtbot.waitSignal(window.service.status_changed):
        grow(window, indexer, "indexing", *names)
    with qtbot.waitSignal(window.service.search_finished):
        window.search.set_text("words")
    assert shown(window) == list(names)


def asked(indexer: ScriptedIndexer) -> int:
    return len(indexer.bodies("POST", "/v1/search"))


def test_what_is_found_later_is_shown(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer)
    grow(window, indexer, "indexing", "new")
    qtbot.waitUntil(lambda: shown(window) == ["new"])


def test_rows_stay_for_a_while_and_are_whole_at_the_end(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer, "a", "b")
    before = asked(indexer)
    with qtbot.waitSignal(window.service.status_changed):
        grow(window, indexer, "indexing", "new", "a", "b")
    assert asked(indexer) == before
    grow(window, indexer, "idle", "newer", "new", "a", "b")
    qtbot.waitUntil(lambda: shown(window) == ["newer", "new", "a", "b"])


def test_rows_are_brought_up_to_date_now_and_then(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(qtbot, window, indexer, "a")
    monkeypatch.setattr(search_controller, "_RENEW_SECONDS", 0.0)
    grow(window, indexer, "indexing", "new", "a")
    qtbot.waitUntil(lambda: shown(window) == ["new", "a"])


def test_what_is_looked_at_stays(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    ask(qtbot, window, indexer, "a", "b")
    QTest.keyClick(window.search.field, Qt.Key.Key_Down)
    current = window.results.hit()
    grow(window, indexer, "idle", "new", "a", "b")
    qtbot.waitUntil(lambda: shown(window) == ["a", "b", "new"])
    assert window.results.hit() == current


def test_an_answer_that_is_still_to_come_is_waited_for(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer)
    slow = threading.Event()
    questions = list[dict[str, Any]]()

    def stages(body: dict[str, Any]) -> Any:
        questions.append(body)
        slow.wait(60)
        yield {"stage": "rescored", "hits": [hit("/d/late")]}

    try:
        grow(window, indexer, "indexing", "x")
        indexer.stages = stages
        window.search.set_text("other words")
        qtbot.waitUntil(lambda: len(questions) == 1)
        for done in (95, 96, 97):
            indexer.status["totals"] = {"files": 99, "done": done, "pending": 1}
            indexer.status["files_revision"] = done
            with qtbot.waitSignal(window.service.status_changed):
                window.service.refresh()
        assert len(questions) == 1
    finally:
        slow.set()
    qtbot.waitUntil(lambda: shown(window) == ["late"])
