"""The list of results: keyboard, mouse, dragging out; stays put while stages arrive."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QPoint,
    QPointF,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QWidget

from desktop import strings as s
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.delegate import DOES
from desktop.results.laid_out import LaidOutView
from desktop.results.model import Index, ResultsModel
from engine.contract.types import Hit

_MOVES = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}
_SIDEWAYS = {Qt.Key.Key_Left, Qt.Key.Key_Right}
_PLAIN = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.KeypadModifier,
)


class ResultsView(LaidOutView):
    """Shows the model; tells what the person chose, opened, typed or asked a menu for."""

    current_changed = Signal(object)  # Hit | None
    selection_changed = Signal()
    opened = Signal()
    typed = Signal(str)  # a character that belongs into the search field
    left_at_top = Signal()  # Up on the first row
    dismissed = Signal()
    menu_wanted = Signal(QPoint)
    places_wanted = Signal(QPoint)
    end_neared = Signal()  # the last rows are being looked at
    copies_toggled = Signal()

    def __init__(self, model: ResultsModel, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(model, thumbnails, parent)
        self._chosen = False  # the person, not the first row's habit, chose the current row
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setAccessibleName(s.RESULTS_NAME)
        self.doubleClicked.connect(lambda _index: self.opened.emit())
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def hit(self) -> Hit | None:
        """The result the person is on; none while the rows are those of another question."""
        return None if self._results.stale else self._results.hit(self.currentIndex().row())

    def hits(self) -> list[Hit]:
        """The selected results, from top to bottom; the one the person is on where none is."""
        if self._results.stale:
            return []
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        found = [self._results.hit(row) for row in rows] or [self.hit()]
        return [hit for hit in found if hit is not None]

    def all_hits(self) -> list[Hit]:
        """Of all rows; none while they are those of another question."""
        if self._results.stale:
            return []
        found = (self._results.hit(row) for row in range(self._results.rowCount()))
        return [hit for hit in found if hit is not None]

    def take_out(self, paths: Collection[str]) -> list[tuple[int, Hit]]:
        """Rows of files that are gone; the one that takes their place is the current one."""
        row = self.currentIndex().row()
        gone = self._results.take_out(paths)
        above = sum(at < row for at, _ in gone)
        if self._results.rowCount():
            self._go(min(max(row - above, 0), self._results.rowCount() - 1))
        return gone

    def put_back(self, gone: Sequence[tuple[int, Hit]]) -> None:
        """The rows that were taken out, selected."""
        self._results.put_back(gone)
        if gone:
            self._go(min(gone[0][0], self._results.rowCount() - 1))

    def rename(self, path: str, new: str) -> None:
        """A file is called otherwise now: its row stays where it is."""
        self.put_back(self._results.renamed(self.take_out([path]), new))

    def settle(self) -> None:
        """After a stage: a row nobody chose follows the best result, a chosen one stays."""
        self._lay_out_anew()  # from where on results are only similar may have changed alone
        rows = self._results.rowCount()
        if not rows or self._results.stale:
            return
        if not self._chosen or not self.currentIndex().isValid():
            self._chosen = self._chosen and self.currentIndex().isValid()
            self._go(0)
            if not self._results.frozen:
                self.scrollToTop()

    def start(self) -> None:
        """A new question: no row is the current one until it answers; what is there is dimmed."""
        self._chosen = False
        self._results.start()
        if self._results.stale:
            self.selectionModel().clear()
            self.viewport().update()

    def again(self) -> None:
        """The same question once more: the first row is the current one again."""
        self._chosen = False
        self._results.again()

    def step(self, rows: int) -> None:
        """Move by some rows from the keyboard; places are kept from now on."""
        count = self._results.rowCount()
        if count and not self._results.stale:
            self._choose()
            row = self.currentIndex().row()
            self._go(min(max(row + rows, 0), count - 1) if row >= 0 else 0)

    def has_copies(self) -> bool:
        """Whether there are copies to show or hide at the current row."""
        return self._results.has_copies(self.currentIndex().row())

    def toggle_copies(self) -> None:
        """Show or hide the copies of the current result below it."""
        self._choose()
        self._go(self._results.toggle_copies(self.currentIndex().row()))
        self.copies_toggled.emit()

    def _does(self, at: QPoint) -> str:
        """What the words at a place do: show copies, other places, or nothing."""
        index = self.indexAt(at)
        hit = self._results.hit(index.row())
        if hit is None or self._results.stale:
            return ""
        rect, point = self.visualRect(index), QPointF(at)
        for does in DOES:
            if self._delegate.note_area(does, rect, self.font(), hit).contains(point):
                return does
        return ""

    def _scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if value > 0 and value >= bar.maximum() - bar.pageStep():
            self.end_neared.emit()

    def look_on(self) -> None:
        """An answer is complete: its end may be in sight already."""
        self._scrolled(self.verticalScrollBar().value())

    def _go(self, row: int) -> None:
        index = self._results.index(row, 0)
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(index, flag)

    def _choose(self) -> None:
        self._chosen = self._results.frozen = not self._results.stale

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.current_changed.emit(self._results.hit(current.row()))

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.selection_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if key == Qt.Key.Key_Up and not modifiers and self._at_top():
            self.left_at_top.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and modifiers in _PLAIN:
            self.opened.emit()
        elif key == Qt.Key.Key_Escape:
            if len(self.hits()) > 1:
                self._go(self.currentIndex().row())
            else:
                self.dismissed.emit()
        elif key in _MOVES or (self.grid and key in _SIDEWAYS):
            if not self._results.stale:
                self._choose()
                super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            if not self._results.stale:
                self._choose()
                self.selectAll()
        elif event.text().isprintable() and event.text().strip() and modifiers in _PLAIN:
            self.typed.emit(event.text())
        elif key == Qt.Key.Key_Backspace:
            self.typed.emit("\b")
        else:
            event.ignore()

    def _at_top(self) -> bool:
        row = self.currentIndex().row()
        return row <= 0 or self.geometry_now().moved(row, "up", 0) == row

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._results.rowCount() and not self._results.stale:
            self._results.frozen = True  # nothing moves under the pointer
        at = event.position().toPoint()
        over = Qt.CursorShape.PointingHandCursor if self._does(at) else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(over)
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._results.stale:
            return  # what is there is going
        at = event.position().toPoint()
        does = self._does(at) if event.button() == Qt.MouseButton.LeftButton else ""
        self._choose()
        super().mousePressEvent(event)
        if does == "copies":
            self.toggle_copies()
        elif does == "places":
            self.places_wanted.emit(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._results.stale and not self._does(event.position().toPoint()):
            super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.grid and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.resize_cells(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._results.stale:
            return
        self._choose()
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        here = self.visualRect(self.currentIndex()).center()
        self.menu_wanted.emit(self.viewport().mapToGlobal(here) if by_key else event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        here = self._results.rowCount() and not self._results.stale
        if here and not self.currentIndex().isValid():
            self._go(0)
