"""Several results at once: selected, copied, opened, to the bin and back; sorted; as a grid."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QKeySequence, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.system import opening, renaming
from desktop.window.rename_dialog import RenameDialog
from desktop.window.window import Window
from engine.contract.errors import InklingError
from tests.desktop.scripted_indexer import ScriptedIndexer, hit

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def shown(window: Window) -> list[str]:
    return [window.model.index(row, 0).data() for row in range(window.model.rowCount())]


def ask(qtbot: QtBot, window: Window, indexer: ScriptedIndexer, *hits: dict[str, Any]) -> None:
    indexer.stages = lambda _body: [{"hits": list(hits), "stage": "rescored"}]
    window.search.set_text(f"{len(hits)} words")
    qtbot.waitUntil(lambda: window.model.rowCount() == len(hits) and not window.model.stale)
    window.results.setFocus()


def selected(window: Window) -> list[str]:
    return [os.path.basename(one.path) for one in window.results.hits()]


def key(window: Window, which: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    QTest.keyClick(window.results, which, modifiers)


def click(window: Window, row: int, modifiers: Qt.KeyboardModifier) -> None:
    at = window.results.visualRect(window.model.index(row, 0)).center()
    QTest.mouseClick(window.results.viewport(), Qt.MouseButton.LeftButton, modifiers, at)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Real files in a folder of their own."""
    (Path.home() / ".local/share").mkdir(parents=True)  # where the bin is
    folder = Path.home() / "Documents" / "Old [x]"
    folder.mkdir(parents=True)
    made = [folder / f"{name}.txt" for name in "abcd"]
    for file in made:
        file.write_text(file.name)
    return made


def test_rows_are_selected_by_keys_and_pointer(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer, *(hit(f"/d/{name}") for name in "abcdef"))
    assert selected(window) == ["a"]
    key(window, Qt.Key.Key_Down, SHIFT)
    key(window, Qt.Key.Key_Down, SHIFT)
    assert selected(window) == ["a", "b", "c"]
    assert window.status.count.text() == s.selected(3, s.files(6))
    window.actions_by_id["copy_path"].trigger()
    assert QGuiApplication.clipboard().text() == "/d/a\n/d/b\n/d/c"
    QTest.keySequence(window.results, QKeySequence("Ctrl+C"))
    urls = QGuiApplication.clipboard().mimeData().urls()
    assert urls == [QUrl(f"file:///d/{name}") for name in "abc"]
    key(window, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)  # first one, then the question
    assert selected(window) == ["c"]
    assert window.search.text() == "6 words"
    click(window, 0, Qt.KeyboardModifier.NoModifier)
    click(window, 4, CONTROL)
    assert selected(window) == ["a", "e"]
    click(window, 2, SHIFT)
    assert selected(window) == ["a", "c", "d", "e"]
    QTest.keySequence(window.results, QKeySequence("Ctrl+A"))
    assert len(selected(window)) == 6
    data = window.model.mimeData(window.results.selectionModel().selectedRows())
    assert len(data.urls()) == 6


def test_all_selected_are_opened_and_many_only_after_a_question(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(opening, "open_file", lambda path, *_: opened.append(path))
    ask(qtbot, window, indexer, *(hit(f"/d/{n}.txt") for n in range(12)))
    key(window, Qt.Key.Key_Down, SHIFT)
    key(window, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    assert opened == ["/d/0.txt", "/d/1.txt"]
    QTest.keySequence(window.results, QKeySequence("Ctrl+A"))
    key(window, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    assert len(opened) == 2
    (box,) = window.findChildren(QMessageBox)
    cancel = box.button(QMessageBox.StandardButton.Cancel)
    next(button for button in box.buttons() if button is not cancel).click()
    assert len(opened) == 14


def test_files_go_to_the_bin_and_come_back(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, files: list[Path]
) -> None:
    ask(qtbot, window, indexer, *(hit(str(file)) for file in files))
    key(window, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)
    key(window, Qt.Key.Key_Down, SHIFT)
    key(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: shown(window) == ["a.txt", "d.txt"])
    assert [file.exists() for file in files] == [True, False, False, True]
    bin_ = Path.home() / ".local/share/Trash"
    assert sorted(p.name for p in (bin_ / "files").iterdir()) == ["b.txt", "c.txt"]
    qtbot.waitUntil(lambda: window.notice.label.text() == s.binned(2))
    assert selected(window) == ["d.txt"]  # what took their place
    qtbot.mouseClick(window.notice.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown(window) == ["a.txt", "b.txt", "c.txt", "d.txt"])
    assert [file.read_text() for file in files] == [file.name for file in files]
    assert not list((bin_ / "info").iterdir())
    assert not window.notice.isVisible()
    QTest.keySequence(window.results, QKeySequence("Ctrl+Z"))
    assert window.status.label.text() == s.NOTHING_TO_UNDO


def test_a_file_is_renamed_and_called_as_before_again(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, files: list[Path]
) -> None:
    ask(qtbot, window, indexer, *(hit(str(file)) for file in files))
    key(window, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)

    def rename(text: str) -> None:
        window.commands.run("rename")
        dialog = window.commands._dialogs["rename"]
        assert isinstance(dialog, RenameDialog)
        assert dialog.field.selectedText() == PurePath(dialog.field.text()).stem
        assert not dialog.take.isEnabled()
        dialog.field.setText(text)
        dialog.take.click()

    rename("new.txt")
    qtbot.waitUntil(lambda: shown(window) == ["a.txt", "new.txt", "c.txt", "d.txt"])
    assert files[1].with_name("new.txt").read_text() == "b.txt"
    assert not files[1].exists()
    assert selected(window) == ["new.txt"]
    rename("a.txt")  # there is one already
    taken = s.NAME_TAKEN.format(name="a.txt")
    qtbot.waitUntil(lambda: window.notice.label.text() == taken)
    assert files[0].read_text() == "a.txt"
    window.commands.undo()
    qtbot.waitUntil(lambda: shown(window) == ["a.txt", "b.txt", "c.txt", "d.txt"])
    assert files[1].read_text() == "b.txt"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "ü" * 128, "b.txt"])
def test_a_name_that_can_not_be_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    (tmp_path / "b.txt").write_text("b")
    with pytest.raises(InklingError):
        renaming.rename(str(file), name)
    assert file.read_text() == "a"
    assert (tmp_path / "b.txt").read_text() == "b"
    file.unlink()
    with pytest.raises(InklingError):
        renaming.rename(str(file), "c.txt")


def test_what_can_not_be_taken_back_stays_in_the_bin_and_is_said(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, files: list[Path]
) -> None:
    ask(qtbot, window, indexer, *(hit(str(file)) for file in files), hit("/d/gone.txt"))
    key(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: not files[0].exists())
    qtbot.waitUntil(lambda: window.notice.button.isVisible())
    files[0].write_text("another one")
    window.commands.undo()
    qtbot.waitUntil(lambda: "again where it was" in window.notice.label.text())
    assert files[0].read_text() == "another one"
    QTest.keyClick(window.results, Qt.Key.Key_End)
    key(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: s.FILE_GONE.format(name="gone.txt") in window.notice.label.text())
    assert "gone.txt" in shown(window)


def test_a_folder_is_left_out_and_taken_in_again(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, files: list[Path]
) -> None:
    root = str(files[0].parents[1])
    indexer.status["folders"] = [{"path": root, "online": True, "files": 4, "done": 4}]
    with qtbot.waitSignal(window.service.status_changed):
        window.service.refresh()
    ask(qtbot, window, indexer, *(hit(str(file)) for file in files[:2]), hit(f"{root}/e.txt"))
    window.actions_by_id["leave_out"].trigger()
    assert shown(window) == ["e.txt"]
    pattern = rf"{root}/Old \[x]/"
    qtbot.waitUntil(lambda: list(indexer.settings["excluded"]) == [pattern])
    assert "left out" in window.notice.label.text()
    window.notice.button.click()
    assert sorted(shown(window)) == ["a.txt", "b.txt", "e.txt"]
    qtbot.waitUntil(lambda: list(indexer.settings["excluded"]) == [])
    QTest.keyClick(window.results, Qt.Key.Key_End)
    window.actions_by_id["leave_out"].trigger()  # the watched folder itself
    assert s.IS_WATCHED_HINT in window.notice.label.text()


def test_results_are_sorted_and_what_matches_stays_first(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    hits = [
        hit("/b/file10.txt", mtime=3e8, size=5),
        hit("/a/file9.txt", mtime=1e9, size=9),
        hit("/c/other.txt", mtime=5e8, size=7),
        hit("/a/near.txt", mtime=2e9, size=99),
    ]
    indexer.stages = lambda _body: [{"hits": hits, "stage": "rescored", "matches": 3}]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: window.model.rowCount() == 4)
    assert window.status.sort.text() == s.ORDERS["relevance"]
    for order, wanted in (
        ("name", ["file9.txt", "file10.txt", "other.txt"]),
        ("date", ["file9.txt", "other.txt", "file10.txt"]),
        ("size", ["file9.txt", "other.txt", "file10.txt"]),
        ("folder", ["file9.txt", "file10.txt", "other.txt"]),
        ("relevance", ["file10.txt", "file9.txt", "other.txt"]),
    ):
        window.actions_by_id[f"sort_{order}"].trigger()
        assert shown(window) == [*wanted, "near.txt"], order
        assert window.status.sort.text() == s.ORDERS[order]
        assert window.model.first_similar == 3
    window.actions_by_id["sort_name"].trigger()
    window.search.set_text("other words")  # it holds for what is asked next
    qtbot.waitUntil(lambda: not window.model.stale and not window.search._busy)
    assert shown(window)[0] == "file9.txt"
    window.search.set_text("")
    qtbot.waitUntil(lambda: not window.status.sort.isVisible())


def test_mostly_pictures_are_a_grid_with_keys_of_its_own(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    pictures = [hit(f"/d/{n:02}.png", kind="screenshot") for n in range(20)]
    ask(qtbot, window, indexer, *pictures)
    view = window.results
    qtbot.waitUntil(lambda: view.grid)
    assert window.actions_by_id["grid"].isChecked()
    columns = view.geometry_now().columns  # type: ignore[attr-defined]
    assert columns >= 2
    for which, row in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Down, 1 + columns),
        (Qt.Key.Key_Left, columns),
        (Qt.Key.Key_Up, 0),
        (Qt.Key.Key_End, 19),
    ):
        key(window, which, Qt.KeyboardModifier.NoModifier)
        assert view.currentIndex().row() == row
    here = view.visualRect(view.currentIndex())
    assert view.viewport().rect().contains(here.adjusted(0, 0, 0, -1))  # it was scrolled to
    wide = here.width()
    window.actions_by_id["zoom_in"].trigger()
    assert view.visualRect(view.currentIndex()).width() > wide
    assert view.indexAt(view.visualRect(view.currentIndex()).center()).row() == 19
    QTest.keyClick(view, Qt.Key.Key_Home)
    QTest.keyClick(view, Qt.Key.Key_Up)  # above the first line is the field
    assert window.search.field.hasFocus()
    window.actions_by_id["grid"].trigger()
    assert not view.grid
    window.results.again()
    window.ask.again()  # for this question rows are what is wanted
    qtbot.waitUntil(lambda: not window.search._busy)
    assert not view.grid
    ask(qtbot, window, indexer, *(hit(f"/d/{n}.txt") for n in range(9)))
    assert not view.grid


def test_ten_rows_fit_and_the_current_one_is_taller(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.resize(1120, 704)
    ask(qtbot, window, indexer, *(hit(f"/d/{n}.txt", snippet="words " * 30) for n in range(40)))
    view = window.results
    assert view.visualRect(window.model.index(9, 0)).bottom() < view.viewport().height()
    heights = [view.visualRect(window.model.index(row, 0)).height() for row in range(3)]
    assert heights == [96, 56, 56]
    key(window, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)
    heights = [view.visualRect(window.model.index(row, 0)).height() for row in range(3)]
    assert heights == [56, 96, 56]
    click(window, 3, Qt.KeyboardModifier.NoModifier)
    assert view.currentIndex().row() == 3
    at = view.visualRect(window.model.index(3, 0)).center()
    assert view.indexAt(at).row() == 3


def test_the_preview_yields_to_the_list(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.resize(1000, 600)
    assert window.preview.isVisible()
    window.resize(700, 600)
    qtbot.waitUntil(lambda: not window.preview.isVisible())
    assert window.state.preview  # it is still wanted
    window.commands.run("toggle_preview")  # now, too
    assert window.preview.isVisible()
    window.resize(1000, 600)
    qtbot.waitUntil(window.preview.isVisible)
    window.resize(700, 600)
    qtbot.waitUntil(lambda: not window.preview.isVisible())


def test_words_that_look_like_a_link_do_something(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    more = [{"location": {"page": 7}, "snippet": "there", "score": 0.1}]
    ask(qtbot, window, indexer, hit("/d/a.pdf", kind="pdf", location={"page": 1}, more=more))
    view = window.results
    rect = view.visualRect(window.model.index(0, 0))
    one = window.model.hit(0)
    assert one is not None
    area = view._delegate.note_area("places", rect, view.font(), one)
    assert not area.isEmpty()
    wanted: list[QPoint] = []
    view.places_wanted.disconnect()
    view.places_wanted.connect(wanted.append)
    at = area.center().toPoint()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert len(wanted) == 1
    window._go_to(one.more[0].location)
    assert window.preview.location.page == 7


class _Painted(QObject):
    """How high what was painted of a view is."""

    def __init__(self, port: QWidget) -> None:
        super().__init__(port)
        self.heights: list[int] = []
        port.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.heights.append(event.region().boundingRect().height())
        return False


def test_a_step_paints_what_looks_otherwise_and_no_more(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    ask(qtbot, window, indexer, *(hit(f"/d/{n}.md", snippet="x") for n in range(100)))
    view = window.results
    painted = _Painted(view.viewport())
    view.viewport().update()
    qtbot.waitUntil(lambda: bool(painted.heights))  # it is on the screen
    qtbot.waitUntil(lambda: window.ask.settled)
    QApplication.processEvents()
    painted.heights.clear()
    for _ in range(20):  # beyond the end of the view: then rows are moved, not painted again
        view.step(1)
        QApplication.processEvents()
    assert view.currentIndex().row() == 20
    assert painted.heights
    assert max(painted.heights) < view.viewport().height() / 2
