"""The list of results: keyboard, mouse, dragging out; stays put while stages arrive."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDrag,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from desktop import strings as s
from desktop import theme
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.delegate import THUMB, ResultDelegate
from desktop.results.model import Index, ResultsModel
from desktop.theme import GRID
from engine.contract.types import Hit

_MOVES = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}
_PLAIN = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.KeypadModifier,
)


class ResultsView(QListView):
    """Shows the model; tells what the person chose, opened, typed or asked a menu for."""

    current_changed = Signal(object)  # Hit | None
    opened = Signal()
    typed = Signal(str)  # a character that belongs into the search field
    left_at_top = Signal()  # Up on the first row
    dismissed = Signal()
    menu_wanted = Signal(QPoint)
    end_neared = Signal()  # the last rows are being looked at
    copies_toggled = Signal()

    def __init__(self, model: ResultsModel, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._results = model
        self._thumbnails = thumbnails
        self._chosen = False  # the person, not the first row's habit, chose the current row
        self._press: QPoint | None = None
        self.setModel(model)
        self._delegate = ResultDelegate(thumbnails, self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setAccessibleName(s.RESULTS_NAME)
        self.viewport().setObjectName("results-viewport")
        thumbnails.ready.connect(self.viewport().update)
        self.doubleClicked.connect(lambda _index: self.opened.emit())
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def hit(self) -> Hit | None:
        """The result the person is on; none while the rows are those of another question."""
        return None if self._results.stale else self._results.hit(self.currentIndex().row())

    def settle(self) -> None:
        """After a stage: a row nobody chose follows the best result, a chosen one stays."""
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

    def _on_copies(self, at: QPoint) -> bool:
        """Whether a place is on the words that tell of copies."""
        index = self.indexAt(at)
        hit = self._results.hit(index.row())
        if hit is None or not hit.copies:
            return False
        words = self._delegate.copies_area(self.visualRect(index), self.font(), hit)
        return words.contains(QPointF(at))

    def _scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if value > 0 and value >= bar.maximum() - bar.pageStep():
            self.end_neared.emit()

    def look_on(self) -> None:
        """An answer is complete: its end may be in sight already."""
        self._scrolled(self.verticalScrollBar().value())

    def page_rows(self) -> int:
        """How many rows a page has."""
        height = self.sizeHintForRow(0)
        return max(1, self.viewport().height() // height - 1) if height > 0 else 1

    def _go(self, row: int) -> None:
        index = self._results.index(row, 0)
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(index, flag)

    def _choose(self) -> None:
        self._chosen = self._results.frozen = not self._results.stale

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.current_changed.emit(self._results.hit(current.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if key == Qt.Key.Key_Up and self.currentIndex().row() <= 0 and not modifiers:
            self.left_at_top.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and modifiers in _PLAIN:
            self.opened.emit()
        elif key == Qt.Key.Key_Escape:
            self.dismissed.emit()
        elif key in _MOVES:
            if not self._results.stale:
                self._choose()
                super().keyPressEvent(event)
        elif event.text().isprintable() and event.text().strip() and modifiers in _PLAIN:
            self.typed.emit(event.text())
        elif key == Qt.Key.Key_Backspace:
            self.typed.emit("\b")
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._results.rowCount() and not self._results.stale:
            self._results.frozen = True  # nothing moves under the pointer
        if self._press is not None and event.buttons() & Qt.MouseButton.LeftButton:
            far = (event.position().toPoint() - self._press).manhattanLength()
            if far >= 12 and self.hit() is not None:
                self._press = None
                self._drag()
                return
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._results.stale:
            return  # what is there is going
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position().toPoint()
        self._choose()
        super().mousePressEvent(event)
        at = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and self._on_copies(at):
            self._press = None
            self.toggle_copies()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._results.stale and not self._on_copies(event.position().toPoint()):
            super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None
        super().mouseReleaseEvent(event)

    def _drag(self) -> None:
        """Drag the file out; its thumbnail goes along."""
        hit = self.hit()
        if hit is None:
            return
        drag = QDrag(self)
        drag.setMimeData(self._results.mimeData([self.currentIndex()]))
        pixmap = self._thumbnails.get(hit)
        if isinstance(pixmap, QPixmap):
            ratio = self.devicePixelRatioF()
            small = pixmap.scaledToHeight(
                round(THUMB * ratio), Qt.TransformationMode.SmoothTransformation
            )
            small.setDevicePixelRatio(ratio)
            drag.setPixmap(small)
        drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.LinkAction)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self._results.stale:
            self._choose()
            self.menu_wanted.emit(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        row = self._results.first_similar
        if row is not None and not self._results.stale:
            self._divide(self.visualRect(self._results.index(row, 0)))

    def _divide(self, below: QRect) -> None:
        """A line with words on it, between what answers and what is only similar."""
        colours = theme.of(self.palette())
        painter = QPainter(self.viewport())
        painter.setFont(theme.font(self.font(), -1))
        words = painter.fontMetrics().boundingRect(s.SIMILAR)
        words.moveCenter(QPoint(below.left() + 2 * GRID + words.width() // 2, below.top()))
        end = words.right() + GRID
        # The row above or below may be the chosen one, whose colour would be behind half a word.
        painter.fillRect(words.adjusted(-GRID // 2, 0, GRID // 2, 0), colours.window)
        painter.setPen(colours.muted)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, s.SIMILAR)
        painter.setPen(colours.line)
        painter.drawLine(end, below.top(), below.right() - 2 * GRID, below.top())
        painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        here = self._results.rowCount() and not self._results.stale
        if here and not self.currentIndex().isValid():
            self._go(0)
