"""The window's list: copies open by click and key, and more of the same comes as one scrolls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


def shown(window: Window) -> list[str]:
    return [window.model.index(r, 0).data() for r in range(window.model.rowCount())]


def ask(qtbot: QtBot, window: Window, indexer: ScriptedIndexer, *hits: dict[str, Any]) -> None:
    indexer.stages = lambda _body: [{"hits": list(hits), "stage": "rescored"}]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: window.model.rowCount() == len(hits))


def copied(name: str, *copies: str) -> dict[str, Any]:
    listed = [{"path": f"/d/{copy}"} for copy in copies]
    return hit(f"/d/{name}", copies=listed, copy_count=len(copies), snippet="words")


def test_the_key_shows_copies_and_actions_work_on_each(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer, copied("a.txt", "b.txt", "c.txt"), copied("z.txt"))
    action = window.actions_by_id["copies"]
    assert action.isEnabled()
    action.trigger()
    assert shown(window) == ["a.txt", "b.txt", "c.txt", "z.txt"]
    assert window.answers.spoken_count() == s.files(2)
    window.results.step(2)
    window.actions_by_id["copy_path"].trigger()
    assert QGuiApplication.clipboard().text() == "/d/c.txt"
    assert action.isEnabled()
    action.trigger()  # at a copy: back to what stands for it
    assert shown(window) == ["a.txt", "z.txt"]
    assert window.results.hit().path == "/d/a.txt"
    window.results.step(1)
    assert not action.isEnabled()


def test_a_click_on_the_words_shows_copies(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer, copied("z.txt"), copied("a.txt", "b.txt"))
    opened: list[bool] = []
    window.results.opened.disconnect()
    window.results.opened.connect(lambda: opened.append(True))
    view = window.results
    row = view.visualRect(window.model.index(1, 0))
    area = view._delegate.note_area("copies", row, view.font(), window.model.hit(1))
    assert row.contains(area.toRect())
    _click(window, QPoint(row.left() + 90, row.center().y()))
    assert window.model.rowCount() == 2
    row = view.visualRect(window.model.index(1, 0))  # it is the current one, and taller
    area = view._delegate.note_area("copies", row, view.font(), window.model.hit(1))
    _click(window, area.center().toPoint())
    assert shown(window) == ["z.txt", "a.txt", "b.txt"]
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=area.center().toPoint())
    assert not opened
    image = view.viewport().grab().toImage()
    assert not image.isNull()


def _click(window: Window, at: QPoint) -> None:
    QTest.mouseClick(window.results.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_what_is_only_similar_is_not_counted(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    counts: list[str] = []
    window.answers.count_changed.connect(counts.append)
    for matches, said in ((1, s.files(1)), (0, s.WEAK), (None, s.files(3))):
        hits = [hit(f"/d/{matches}{name}.txt", snippet="words") for name in "abc"]
        indexer.stages = lambda _body, hits=hits, matches=matches: [
            {"hits": hits, "stage": "rescored", "matches": matches}
        ]
        window.search.set_text(f"words {matches}")
        qtbot.waitUntil(lambda name=f"{matches}a.txt": shown(window)[:1] == [name])
        assert window.answers.spoken_count() == said
        assert counts[-1] == ("" if said == s.WEAK else said)


def test_the_end_of_the_list_brings_more(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    files = [f"{n}.txt" for n in range(130)]

    def stages(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        found = [hit(f"/d/{name}") for name in files[: body["limit"]]]
        if body["limit"] > 50:
            yield {"hits": found[::-1], "stage": "words"}  # the order of a stage before the last
        yield {"hits": found, "stage": "rescored"}

    indexer.stages = stages
    window.search.set_text("words")
    qtbot.waitUntil(lambda: shown(window) == files[:50])
    bar = window.results.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)

    def at_the_end(count: int) -> bool:
        bar.setValue(bar.maximum())  # again: new rows may not have been laid out yet
        return shown(window) == files[:count]

    for count in (100, 130):
        qtbot.waitUntil(lambda count=count: at_the_end(count))
    bar.setValue(bar.maximum())
    limits = [body["limit"] for body in indexer.bodies("POST", "/v1/search")]
    assert limits[-3:] == [50, 100, 200]  # and no more: the last was shorter than asked for
