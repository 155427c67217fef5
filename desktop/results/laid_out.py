"""A view that lays its results out by arithmetic and paints those in sight: rows or a grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
)
from PySide6.QtGui import QDrag, QMouseEvent, QPainter, QPaintEvent, QPixmap, QRegion
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.presentation.thumbnails import Thumbnails
from desktop.results.delegate import TALL_THUMB, ResultDelegate, fonts_of
from desktop.results.geometry import BAND, Geometry, Grid, Move, Rows
from desktop.results.model import Index, ResultsModel
from desktop.theme import GRID, HALF

_Action = QAbstractItemView.CursorAction
_MOVES: dict[QAbstractItemView.CursorAction, Move] = {
    _Action.MoveUp: "up",
    _Action.MovePrevious: "up",
    _Action.MoveDown: "down",
    _Action.MoveNext: "down",
    _Action.MoveLeft: "left",
    _Action.MoveRight: "right",
    _Action.MovePageUp: "page-up",
    _Action.MovePageDown: "page-down",
    _Action.MoveHome: "home",
    _Action.MoveEnd: "end",
}
#: Widths of the grid's cells.
CELLS = (14 * GRID, 18 * GRID, 24 * GRID, 32 * GRID, 44 * GRID)


class LaidOutView(QListView):
    """What QListView would ask every item for (its size) follows from a few numbers here: ten
    thousand results cost as much as ten."""

    def __init__(self, model: ResultsModel, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._results, self._thumbnails = model, thumbnails
        self._known: tuple[tuple[object, ...], Geometry] | None = None
        self._hovered: int | None = None
        self.grid = False
        self.cell = 1  # which of CELLS
        self.setModel(model)
        self._delegate = ResultDelegate(thumbnails, self)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Else a list that just fits and one that just does not take turns.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        # It paints all of itself: what is scrolled is moved on the screen, not painted again.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        thumbnails.ready.connect(self.viewport().update)

    # Where things are

    def geometry_now(self) -> Geometry:
        """Of the results as they are; made anew only when something it depends on has changed."""
        model, width = self._results, self.viewport().width()
        current = self.currentIndex().row()
        divide = None if model.stale else model.first_similar
        key = (model.rowCount(), width, current, divide, self.grid, self.cell, self.font().key())
        if self._known is None or self._known[0] != key:
            fonts = fonts_of(self.font())
            made: Geometry
            if self.grid:
                made = Grid(model.rowCount(), width, CELLS[self.cell], fonts.caption, divide)
            else:
                tall = current if current >= 0 else None
                made = Rows(model.rowCount(), width, fonts.row, fonts.tall, tall, divide)
            self._known = key, made
        return self._known[1]

    def set_grid(self, on: bool) -> None:
        """Lay the results out as a grid, or as rows."""
        if on != self.grid:
            self.grid = self._delegate.grid = on
            self._lay_out_anew()
            self.scrollTo(self.currentIndex())

    def resize_cells(self, steps: int) -> None:
        """Larger or smaller pictures in the grid."""
        self.cell = min(max(self.cell + steps, 0), len(CELLS) - 1)
        self._lay_out_anew()
        self.scrollTo(self.currentIndex())

    def page_rows(self) -> int:
        """How many rows a page has."""
        return max(1, self.viewport().height() // fonts_of(self.font()).row - 1)

    def _lay_out_anew(self) -> None:
        self.updateGeometries()
        self.viewport().update()

    def visualRect(self, index: Index) -> QRect:
        if not index.isValid() or index.row() >= self._results.rowCount():
            return QRect()
        return self.geometry_now().rect(index.row()).translated(0, -self.verticalOffset())

    def indexAt(self, point: QPoint) -> QModelIndex:
        item = self.geometry_now().at(point.x(), point.y() + self.verticalOffset())
        return QModelIndex() if item is None else self._results.index(item, 0)

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def horizontalOffset(self) -> int:
        return 0

    def updateGeometries(self) -> None:
        room = self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, self.geometry_now().height + HALF - room))
        bar.setPageStep(room)
        bar.setSingleStep(fonts_of(self.font()).row // 2)
        self.horizontalScrollBar().setRange(0, 0)

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)
        self._lay_out_anew()

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        rect, bar = self.geometry_now().rect(index.row()), self.verticalScrollBar()
        top, bottom = rect.top(), rect.bottom() + 1 - self.viewport().height()
        hints = QAbstractItemView.ScrollHint
        if hint == hints.PositionAtTop or (hint == hints.EnsureVisible and bar.value() > top):
            bar.setValue(top)
        elif hint == hints.PositionAtCenter:
            bar.setValue((top + bottom) // 2)
        elif hint == hints.PositionAtBottom or bar.value() < bottom:
            bar.setValue(bottom)

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        count, row = self._results.rowCount(), self.currentIndex().row()
        if not count:
            return QModelIndex()
        if row < 0:
            return self._results.index(0, 0)
        goal = self.geometry_now().moved(row, _MOVES[action], self.viewport().height())
        return self._results.index(goal, 0)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """From the result at one corner to that at the other, as one reads."""
        ends = [self.indexAt(point) for point in (rect.topLeft(), rect.bottomRight())]
        rows = sorted(index.row() for index in ends if index.isValid())
        chosen = QItemSelection()
        if rows:
            first, last = self._results.index(rows[0], 0), self._results.index(rows[-1], 0)
            chosen.select(first, last)
        self.selectionModel().select(chosen, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        found, rows = QRegion(), self._results.rowCount()
        for span in cast("Iterable[QItemSelectionRange]", selection):
            if span.bottom() < rows:
                geometry = self.geometry_now()
                area = geometry.rect(span.top()).united(geometry.rect(span.bottom()))
                # In a grid the cells between stand left of the first or right of the last, too.
                area.setLeft(0)
                area.setRight(self.viewport().width())
                found += QRegion(area.translated(0, -self.verticalOffset()))
        return found & self.viewport().rect()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def currentChanged(self, current: Index, previous: Index) -> None:
        # Before it is scrolled to: the current row is taller.
        self.updateGeometries()
        self.viewport().update(self._between(current.row(), previous.row()))
        super().currentChanged(current, previous)

    def _between(self, one: int, other: int) -> QRect:
        """What looks otherwise when the current row becomes another: rows above and below both stay
        where they are; all, where there was none."""
        first, last = sorted((one, other))
        if self.grid or first < 0 or last >= self._results.rowCount():
            return self.viewport().rect()
        rows = self.geometry_now().rect(first).united(self.geometry_now().rect(last))
        return rows.translated(0, -self.verticalOffset()).adjusted(0, -BAND, 0, BAND)

    # What is seen

    def paintEvent(self, event: QPaintEvent) -> None:
        geometry, offset = self.geometry_now(), self.verticalOffset()
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.font = self.font()
        plain = option.state & ~(
            QStyle.StateFlag.State_MouseOver
            | QStyle.StateFlag.State_HasFocus
            | QStyle.StateFlag.State_Selected
        )
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.of(self.palette()).window)
        current, focused = self.currentIndex().row(), self.hasFocus()
        areas = cast("Iterable[QRect]", event.region())
        parts = [geometry.between(r.top() + offset, r.bottom() + offset) for r in areas]
        for item in sorted({item for part in parts for item in part}):
            index = self._results.index(item, 0)
            option.rect = geometry.rect(item).translated(0, -offset)
            option.state = plain
            if self.selectionModel().isSelected(index):
                option.state |= QStyle.StateFlag.State_Selected
            if item == current and focused:
                option.state |= QStyle.StateFlag.State_HasFocus
            if item == self._hovered:
                option.state |= QStyle.StateFlag.State_MouseOver
            self._delegate.paint(painter, option, index)
        row = None if self._results.stale else self._results.first_similar
        if row is not None:
            self._divide(painter, geometry.rect(row).top() - BAND - offset)
        painter.end()

    def _divide(self, painter: QPainter, top: int) -> None:
        """A line with words on it, between what answers and what is only similar."""
        c = theme.of(self.palette())
        painter.setFont(theme.font(self.font(), -1, bold=True))
        area = QRectF(2 * GRID, top, self.viewport().width() - 4 * GRID, BAND)
        painter.setPen(c.muted)
        middle = Qt.AlignmentFlag.AlignVCenter
        words = painter.boundingRect(area, middle, s.SIMILAR)
        painter.drawText(area, middle, s.SIMILAR)
        painter.setPen(c.line)
        y = round(area.center().y())
        painter.drawLine(round(words.right() + GRID), y, round(area.right()), y)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.indexAt(event.position().toPoint()))
        super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(QModelIndex())
        return super().viewportEvent(event)

    def _hover(self, index: QModelIndex) -> None:
        before, self._hovered = self._hovered, index.row() if index.isValid() else None
        if before != self._hovered:
            for row in (before, self._hovered):
                if row is not None:
                    self.viewport().update(self.visualRect(self._results.index(row, 0)))

    # Out of the window

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Drag the selected files out; a thumbnail goes along, and how many they are."""
        indexes = sorted(self.selectionModel().selectedRows(), key=QModelIndex.row)
        if not indexes or self._results.stale:
            return
        drag = QDrag(self)
        drag.setMimeData(self._results.mimeData(indexes))
        drag.setPixmap(self._drag_picture(indexes))
        drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.LinkAction)

    def _drag_picture(self, indexes: list[QModelIndex]) -> QPixmap:
        ratio, c = self.devicePixelRatioF(), theme.of(self.palette())
        side = TALL_THUMB + 2 * GRID
        made = QPixmap(round(side * ratio), round(side * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hit = self._results.hit(indexes[0].row())
        if hit is not None:
            tile = QRectF(0, 2 * GRID, TALL_THUMB, TALL_THUMB)
            self._delegate.paint_thumb(painter, hit, tile, c)
        if len(indexes) > 1:
            badge = QRectF(side - 3.5 * GRID, 0, 3.5 * GRID, 3 * GRID)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c.accent)
            painter.drawRoundedRect(badge, 1.5 * GRID, 1.5 * GRID)
            painter.setPen(c.on_accent)
            painter.setFont(theme.font(self.font(), bold=True))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(len(indexes)))
        painter.end()
        return made
