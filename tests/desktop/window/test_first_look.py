"""What the window shows before the indexer answers, and while the index grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.connection import IndexerConnection
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.window import Window
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


@pytest.fixture
def fresh(qtbot: QtBot, base: BaseDir, indexer: ScriptedIndexer) -> Iterator[Window]:
    """The window of somebody who never opened it; it is not connected yet."""
    for name in ("Documents", "Downloads"):
        (Path.home() / name).mkdir(parents=True)
    indexer.status["folders"] = []
    service = IndexerConnection(base)
    settings = SettingsClient(base, Settings.load(base), service)
    made = Window(base, settings, State.load(base.root), service)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.shut_down()


def test_folders_are_offered_before_the_indexer_answers(
    qtbot: QtBot, fresh: Window, indexer: ScriptedIndexer
) -> None:
    page = fresh.onboarding
    assert page.isVisible()
    assert page.chosen() == [str(Path.home() / "Documents")]
    box, _ = page._rows[str(Path.home() / "Downloads")]
    assert "~/Downloads" in box.accessibleDescription()
    assert s.SUGGESTED_WHY["DOWNLOADS"] in box.accessibleDescription()
    page.start.click()
    assert not indexer.bodies("POST", "/v1/folders")
    indexer.answers["POST", "/v1/folders"] = {"folders": []}
    indexer.answers["POST", "/v1/estimate"] = {"files": 7, "bytes": 10, "seconds": 1}
    with qtbot.waitSignal(page.finished):
        fresh.service.start()
    assert indexer.bodies("POST", "/v1/folders") == [{"paths": [str(Path.home() / "Documents")]}]
    assert not page.isVisible()
    offered = [button.accessibleName() for button in fresh.searches.findChildren(QPushButton)]
    assert list(s.EXAMPLES) == offered
    fresh.searches.findChildren(QPushButton)[0].click()
    assert fresh.search.text() == s.EXAMPLES[0]


def test_files_are_counted_once_the_indexer_answers(
    qtbot: QtBot, fresh: Window, indexer: ScriptedIndexer
) -> None:
    indexer.answers["POST", "/v1/estimate"] = {"files": 7, "bytes": 10, "seconds": 1}
    fresh.service.start()
    _, count = fresh.onboarding._rows[str(Path.home() / "Documents")]
    qtbot.waitUntil(lambda: count.text().startswith("7 files"))


def test_an_indexer_of_a_newer_version_is_said_at_the_first_run(
    qtbot: QtBot, fresh: Window, indexer: ScriptedIndexer, base: BaseDir
) -> None:
    indexer.answers["POST", "/v1/estimate"] = {"files": 7, "bytes": 10, "seconds": 1}
    ours = base.endpoint.read_text()
    base.endpoint.write_text(ours.replace("0.1.0", "99.0"))
    page = fresh.onboarding
    _, count = page._rows[str(Path.home() / "Documents")]
    fresh.service.start()
    qtbot.waitUntil(page.notice.isVisible)
    assert "99.0" in page.notice.label.text()
    assert count.text() == ""  # nothing is being counted
    base.endpoint.write_text(ours)
    page.notice.button.click()
    qtbot.waitUntil(lambda: count.text().startswith("7 files"))
    assert not page.notice.isVisible()


def test_home_grows_with_the_index_and_what_is_looked_at_stays(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    def index(*names: str) -> None:
        indexer.answers["GET", "/v1/recent"] = {"files": [hit(f"/d/{name}") for name in names]}
        indexer.status["files_revision"] += 1
        window.service.refresh()

    def shown() -> list[str]:
        return [window.model.index(row, 0).data() for row in range(window.model.rowCount())]

    index("a", "b")
    qtbot.waitUntil(lambda: shown() == ["a", "b"])
    QTest.keyClick(window.search.field, Qt.Key.Key_Down)
    current = window.results.hit()
    index("new", "a", "b")
    qtbot.waitUntil(lambda: shown() == ["a", "b", "new"])
    assert window.results.hit() == current
    index("new", "a", "renamed")  # as many as before, and "b" is not there any more
    qtbot.waitUntil(lambda: shown() == ["a", "new", "renamed"])
    hit_now = window.results.hit()
    assert hit_now is not None
    assert hit_now.path == "/d/new"


def test_only_what_can_be_read_counts_as_readable(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    indexer.status["state"] = "indexing"
    indexer.status["totals"] = {
        "files": 795, "done": 1, "skipped": 80, "withheld": 3, "failed": 6, "pending": 705,
    }  # fmt: skip
    window.service.refresh()
    qtbot.waitUntil(lambda: window.status.label.text() == "1 of 795 files readable so far")


def test_a_folder_that_is_away_is_said(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    indexer.status["folders"] = [{"path": "/media/stick", "online": False, "files": 3, "done": 3}]
    window.service.refresh()
    qtbot.waitUntil(lambda: s.away(1) in window.status.label.text())


def test_opening_a_file_whose_disk_is_away_says_so(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    lies = [{"stage": "rescored", "hits": [hit("/media/stick/a.txt", offline=True)]}]
    indexer.stages = lambda _body: lies
    window.search.set_text("x")
    qtbot.waitUntil(lambda: window.results.hit() is not None)
    window.commands.run("open")
    assert s.OFFLINE_LONG in window.notice.label.text()


def test_a_picture_held_over_the_window_is_told_what_happens(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    data = QMimeData()
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(0)
    data.setImageData(image)
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    middle = QPoint(window.width() // 2, window.height() // 2)
    enter = QDragEnterEvent(middle, copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert window.drop_hint.isVisible()
    assert window.drop_hint.size() == window.size()
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.drop_hint.isVisible()
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDropEvent(QPointF(middle), copy, data, left, none))
    assert not window.drop_hint.isVisible()
    qtbot.waitUntil(lambda: any(b["image"] for b in indexer.bodies("POST", "/v1/search")))
