"""The window by ear and by Tab: what the accessibility tree says, in which order the focus goes."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.index.problem_list import ProblemList
from desktop.window.chip_bar import ChipButton
from desktop.window.shortcut_page import ShortcutPage
from desktop.window.window import Window
from tests.desktop.scripted_indexer import ScriptedIndexer, hit


def tree(interface: QAccessibleInterface) -> Iterator[tuple[str, str]]:
    """Names and descriptions of everything in sight."""
    text = QAccessible.Text
    yield interface.text(text.Name), interface.text(text.Description)
    for n in range(interface.childCount()):
        child = interface.child(n)
        if child is not None and not child.state().invisible:
            yield from tree(child)


def said(widget: QWidget) -> dict[str, str]:
    return dict(tree(QAccessible.queryAccessibleInterface(widget)))


def test_the_tree_says_what_is_seen(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    window.state.history, window.state.saved = ["train ticket"], ["kept one"]
    window.show_home()
    known = said(window)
    assert known["kept one"] == s.SEARCH_IS_KEPT
    assert known["train ticket"] == s.SEARCH_IS_RECENT
    assert known[s.KIND] == s.OPENS_MENU
    more = [{"location": {"page": 7}, "snippet": "there", "score": 0.1}]
    found = [hit("/d/a.pdf", kind="pdf", snippet="a passage", more=more), hit("/d/b.txt")]
    indexer.stages = lambda _body: [{"hits": found, "stage": "rescored"}]
    window.search.set_text("kind:pdf date:7d x")
    qtbot.waitUntil(lambda: window.status.count.text() == s.files(2))
    known = said(window)
    assert s.files(2) in known
    assert known[f"{s.KIND}: PDFs"] == s.OPENS_MENU
    assert f"{s.DATE}: {s.DATES['7d']}" in known
    rows = [name for name in known if name.startswith(("a.pdf, PDF", "b.txt"))]
    assert len(rows) == 2
    assert "a passage" in rows[0]
    assert known[s.ORDERS["relevance"]] == s.OPENS_MENU


def test_what_can_be_done_about_a_problem_is_said(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    listed = ProblemList(s.TAB_PROBLEMS, s.RETRY, owner)
    listed.show_problems(
        [{"path": "/d/a", "sentence": "It is broken.", "retry": True}, {"path": "/d/b"}]
    )
    role = Qt.ItemDataRole.AccessibleDescriptionRole
    said_of = [listed.model().index(row, 0).data(role) for row in range(2)]
    assert said_of == [s.BY_ENTER.format(action=s.RETRY), ""]


def test_tab_goes_as_one_reads(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> None:
    window.resize(1200, 700)
    indexer.status["totals"] = {"files": 3, "done": 1, "pending": 1, "failed": 1}
    window.service.refresh()
    qtbot.waitUntil(window.status.problems.isVisible)
    found = [hit(f"/d/{name}.txt") for name in "ab"]
    indexer.stages = lambda _body: [{"hits": found, "stage": "rescored"}]
    window.search.set_text("x ext:txt")
    qtbot.waitUntil(lambda: window.status.sort.isVisible())
    window.activateWindow()
    window.search.field.setFocus()
    places = []
    for _ in range(40):
        here = window.focusWidget()
        assert here is not None
        at = here.mapTo(window, here.rect().center())
        places.append((here, at.x(), at.y()))
        QTest.keyClick(here, Qt.Key.Key_Tab)
        if window.focusWidget() is window.search.field:
            break
    met = [widget for widget, _, _ in places]
    search, chips, status = window.search, window.chips, window.status
    wanted = [
        search.field, chips.kind, chips.folder, chips.date, search.clear, search.attach,
        search.menu, *chips.removable, window.results, status.sort, status.problems,
        status.pause, status.index,
    ]  # fmt: skip
    assert [widget for widget in met if widget in wanted] == wanted
    assert len(met) == len(set(met)) < 40  # round, and nothing is met twice
    for widget in met:
        assert said(widget), widget


def test_a_chip_shows_that_it_has_the_focus_by_key(qtbot: QtBot, window: Window) -> None:
    chip = window.chips.kind
    assert isinstance(chip, ChipButton)

    def drawn() -> bytes:
        image = chip.grab().toImage()
        return bytes(image.constBits())

    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.search.field.setFocus()
    without = drawn()
    QTest.keyClick(window.search.field, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is chip
    assert drawn() != without


def test_the_field_takes_no_key_from_an_action(window: Window) -> None:
    of_a_line = QAction(window)  # as Linux has Ctrl+E, which is an action's
    of_a_line.setShortcut(QKeySequence(QKeySequence.StandardKey.SelectAll))
    window.addAction(of_a_line)
    window._enable_actions()
    for action in window.actions():
        for keys in action.shortcuts():
            pressed = keys[0]
            event = QKeyEvent(
                QEvent.Type.ShortcutOverride, pressed.key(), pressed.keyboardModifiers()
            )
            QCoreApplication.sendEvent(window.search.field, event)
            assert not event.isAccepted() or not action.isEnabled(), keys.toString()


def test_no_window_is_larger_than_its_screen(window: Window) -> None:
    room = window.screen().availableGeometry()
    page = ShortcutPage(window)
    page.resize(5_000, 5_000)  # as on a small screen, or with everything shown very large
    window.commands._show("shortcuts", page)
    assert page.width() < room.width()
    assert page.height() < room.height()
    page.close()
