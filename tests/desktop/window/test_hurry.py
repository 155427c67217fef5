"""Someone in a hurry: Enter before the answer, the pointer over the list, typing on. Whatever is
opened is an answer to what was typed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit
from tests.waiting import PATIENCE


@pytest.fixture
def recent(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> list[str]:
    """Files that stand in the list before anything is asked."""
    files = [hit(f"/old/{name}.go") for name in "abc"]
    indexer.answers["GET", "/v1/recent"] = {"files": files}
    window.show_home()
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    return [file["path"] for file in files]


class Held:
    """Stages that come when they are let go."""

    def __init__(self, indexer: ScriptedIndexer) -> None:
        self._indexer = indexer
        self.go: list[threading.Event] = []

    def answer(self, *stages: dict[str, Any]) -> None:
        """The next questions get these, each when its `go` is set."""
        self.go = [threading.Event() for _ in stages]
        held = list(zip(self.go, stages, strict=True))

        def given(_body: dict[str, Any]) -> Iterator[dict[str, Any]]:
            for go, stage in held:
                go.wait(PATIENCE)
                yield stage

        self._indexer.stages = given


@pytest.fixture
def held(indexer: ScriptedIndexer) -> Iterator[Held]:
    holding = Held(indexer)
    yield holding
    for go in holding.go:  # whoever still waits would keep the indexer from ending
        go.set()


def stage(name: str, *paths: str) -> dict[str, Any]:
    return {"stage": name, "hits": [hit(path, snippet="words") for path in paths]}


def shown(window: Window) -> list[str]:
    found = (window.model.hit(row) for row in range(window.model.rowCount()))
    return [one.path for one in found if one is not None]


def press_enter(window: Window) -> None:
    QTest.keyClick(window.search.field, Qt.Key.Key_Return)


@pytest.mark.usefixtures("recent")
def test_enter_before_the_answer_opens_the_answer(
    qtbot: QtBot, window: Window, held: Held, opened: list[str]
) -> None:
    held.answer(stage("names", "/x/name.txt"), stage("words", "/x/answer.txt"))
    counts: list[str] = []
    window.answers.count_changed.connect(counts.append)
    window.search.set_text("expired certificate")
    press_enter(window)
    assert window.model.stale  # dimmed, and nothing can be done with them
    assert window.results.hit() is None
    assert not window.actions_by_id["copy_path"].isEnabled()
    assert counts[-1] == ""
    held.go[0].set()
    qtbot.waitUntil(lambda: shown(window) == ["/x/name.txt"])
    assert not opened
    held.go[1].set()
    qtbot.waitUntil(lambda: opened == ["/x/answer.txt"])
    press_enter(window)  # now it is seen
    assert opened == ["/x/answer.txt"] * 2


def test_enter_while_the_window_is_still_empty_waits_too(
    qtbot: QtBot, window: Window, held: Held, opened: list[str]
) -> None:
    assert not window.model.rowCount()
    held.answer(stage("rescored", "/x/answer.txt"))
    window.search.set_text("x")
    press_enter(window)
    held.go[0].set()
    qtbot.waitUntil(lambda: opened == ["/x/answer.txt"])


@pytest.mark.usefixtures("recent")
def test_who_types_on_did_not_mean_that_answer(
    qtbot: QtBot, window: Window, held: Held, opened: list[str]
) -> None:
    held.answer(stage("rescored", "/x/answer.txt"))
    window.search.set_text("b")
    press_enter(window)
    window.search.set_text("boiler")
    held.go[0].set()
    qtbot.waitUntil(lambda: shown(window) == ["/x/answer.txt"] and not window.search._busy)
    assert not opened


@pytest.mark.usefixtures("recent")
def test_an_answer_of_nothing_opens_nothing(
    qtbot: QtBot, window: Window, held: Held, opened: list[str]
) -> None:
    held.answer(stage("words"), stage("rescored"))
    window.search.set_text("zzzz")
    press_enter(window)
    for go in held.go:
        go.set()
    qtbot.waitUntil(lambda: not window.search._busy)
    assert shown(window) == []
    press_enter(window)
    assert not opened


def test_names_that_are_seen_can_be_opened(
    qtbot: QtBot, window: Window, held: Held, opened: list[str], recent: list[str]
) -> None:
    held.answer(stage("names", "/x/name.txt"), stage("rescored", "/x/name.txt"))
    window.search.set_text("name")
    held.go[0].set()
    qtbot.waitUntil(lambda: shown(window) == ["/x/name.txt"])
    press_enter(window)
    assert opened == ["/x/name.txt"]
    held.go[1].set()
    qtbot.waitUntil(lambda: not window.search._busy)
    window.search.set_text("")
    qtbot.waitUntil(lambda: shown(window) == recent and not window.model.stale)
    press_enter(window)  # an empty field: the file that stands first
    assert opened[1:] == [recent[0]]


@pytest.mark.usefixtures("recent")
def test_the_pointer_over_old_rows_does_not_keep_them(
    qtbot: QtBot, window: Window, held: Held, opened: list[str]
) -> None:
    held.answer(stage("rescored", "/x/best.pdf", "/x/other.pdf"))
    window.search.set_text("boiler")
    view = window.results
    at = QPointF(view.visualRect(window.model.index(1, 0)).center())
    none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
    for kind, button in (
        (QMouseEvent.Type.MouseMove, none),
        (QMouseEvent.Type.MouseButtonPress, left),
        (QMouseEvent.Type.MouseButtonRelease, left),
        (QMouseEvent.Type.MouseButtonDblClick, left),
    ):
        place = view.viewport().mapToGlobal(at)
        event = QMouseEvent(kind, at, place, button, button, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view.viewport(), event)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.hit() is None
    held.go[0].set()
    qtbot.waitUntil(lambda: shown(window) == ["/x/best.pdf", "/x/other.pdf"])
    current = view.hit()
    assert current is not None
    assert current.path == "/x/best.pdf"
    assert not opened


def test_asking_the_same_again_keeps_what_is_there(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, held: Held, opened: list[str]
) -> None:
    indexer.stages = lambda _body: [stage("rescored", "/x/a.txt", "/x/b.txt")]
    window.search.set_text("x")
    qtbot.waitUntil(lambda: len(shown(window)) == 2 and not window.search._busy)
    held.answer(stage("rescored", "/x/a.txt", "/x/b.txt"))
    window.ask.again()
    assert not window.model.stale
    press_enter(window)
    assert opened == ["/x/a.txt"]
    held.go[0].set()
    qtbot.waitUntil(lambda: not window.search._busy)


@pytest.mark.usefixtures("recent")
def test_old_rows_are_dimmed(qtbot: QtBot, window: Window, held: Held) -> None:
    before = _contrast(window)
    held.answer(stage("rescored", "/x/a.txt", "/x/b.txt"))
    window.search.set_text("x")
    assert _contrast(window) < 0.6 * before
    held.go[0].set()
    qtbot.waitUntil(lambda: shown(window) == ["/x/a.txt", "/x/b.txt"])
    assert _contrast(window) > 0.8 * before


def _contrast(window: Window) -> int:
    """Between the lightest and the darkest point of the second row."""
    view = window.results
    area = view.visualRect(window.model.index(1, 0))
    area.moveTopLeft(view.viewport().mapTo(window, area.topLeft()))
    image = window.grab(area).toImage()
    points = (QPoint(x, y) for x in range(image.width()) for y in range(image.height()))
    levels = [image.pixelColor(point).lightness() for point in points]
    return max(levels) - min(levels)
