"""The list of files that are not indexed, or of rules: name, place, reason, one button."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.presentation.paths import printable, short_folder
from desktop.theme import GRID
from desktop.wording import telling

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_PROBLEM = Qt.ItemDataRole.UserRole


#: Of these the detail says how much is read, or by which rule they are left out.
_TELLING = ("done", "pending", "left-out")


def why(problem: dict[str, Any]) -> str:
    """Its reason, and what is to be done about it, in one line."""
    said = [telling.here(str(problem.get(key, ""))) for key in ("sentence", "hint")]
    if problem.get("state") in _TELLING:
        said.append(str(problem.get("detail") or ""))
    return printable(" ".join(filter(None, said)))


class ProblemModel(QAbstractListModel):
    """Problems as the indexer sends them."""

    def __init__(
        self, parent: QObject | None = None, action: str = "", always: bool = False
    ) -> None:
        """`action`: what Enter does, for those who hear it; `always`: with every row."""
        super().__init__(parent)
        self.action, self.always = action, always
        self._rows: list[dict[str, Any]] = []

    def show(self, rows: list[dict[str, Any]]) -> None:
        if rows != self._rows:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        problem = self._rows[index.row()]
        path = str(problem["path"])
        title = printable(str(problem.get("title") or ""))
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return title or printable(PurePath(path).name)
            case Qt.ItemDataRole.ToolTipRole:
                said = (
                    printable(path),
                    str(problem.get("detail") or ""),
                    telling.here(problem.get("hint", "")),
                )
                return "\n".join(filter(None, said))
            case Qt.ItemDataRole.AccessibleTextRole:
                named = f"{title}, {problem['aside']}" if title else printable(path)
                return f"{named}: {why(problem)}"
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return self.action if self.always or problem.get("retry") else ""
            case _ if role == _PROBLEM:
                return problem
        return None


class ProblemList(QListView):
    """Rows with a button at their right end; Enter or a click on it asks for the action."""

    action_wanted = Signal(dict)

    def __init__(self, name: str, action: str, parent: QWidget, *, always: bool = False) -> None:
        """`always`: the action is for every row, else for those that say `retry`."""
        super().__init__(parent)
        self._rows = ProblemModel(self, s.BY_ENTER.format(action=action), always)
        self._delegate = _ProblemDelegate(action, always, self)
        self.setModel(self._rows)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)

    def show_problems(self, problems: list[dict[str, Any]]) -> None:
        self._rows.show(problems)

    def _ask(self, index: Index) -> None:
        problem = index.data(_PROBLEM)
        if isinstance(problem, dict) and self._delegate.offers(problem):
            self.action_wanted.emit(problem)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._ask(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        at = event.position()
        index = self.indexAt(at.toPoint())
        row = QRectF(self.visualRect(index))
        if index.isValid() and self._delegate.button(row, self.font()).contains(at):
            self._ask(index)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            index = self.indexAt(event.position().toPoint())
            row = QRectF(self.visualRect(index))
            over = index.isValid() and self._delegate.button(row, self.font()).contains(
                event.position()
            )
            shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
            self.viewport().setCursor(shape)
        return super().viewportEvent(event)


class _ProblemDelegate(QStyledItemDelegate):
    """Name and folder on one line, the reason below, the button right."""

    def __init__(self, label: str, always: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._label, self._always = label, always

    def offers(self, problem: dict[str, Any]) -> bool:
        return self._always or bool(problem.get("retry"))

    def button(self, row: QRectF, font: Any) -> QRectF:
        width = QFontMetricsF(font).horizontalAdvance(self._label) + 3 * GRID
        area = QRectF(0, 0, width, 3.5 * GRID)
        area.moveCenter(QPointF(row.right() - GRID - width / 2, row.center().y()))
        return area

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        height = 2 * option.fontMetrics.height() + 2 * GRID
        return QSize(30 * GRID, -(-height // GRID) * GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        problem = index.data(_PROBLEM)
        c = theme.of(option.palette)
        row = QRectF(option.rect).adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
            theme.paint_chosen(painter, row, c, chosen=True, focus=focus)
        right = row.right() - GRID
        if self.offers(problem):
            button = self.button(row, option.font)
            right = button.left() - GRID
            painter.setPen(c.edge)  # as every other button
            painter.setBrush(c.raised)
            painter.drawRoundedRect(button.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.setPen(c.text)
            painter.setFont(option.font)
            painter.drawText(button, Qt.AlignmentFlag.AlignCenter, self._label)
        small = theme.font(option.font, -1)
        metrics, small_metrics = QFontMetricsF(option.font), QFontMetricsF(small)
        left, top = row.left() + GRID, row.top() + GRID - 1
        room = right - left
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, room * 0.6)
        painter.setFont(option.font)
        painter.setPen(c.text)
        painter.drawText(QPointF(left, top + metrics.ascent()), name)
        after = left + metrics.horizontalAdvance(name) + GRID
        folder = small_metrics.elidedText(
            str(problem.get("aside") or short_folder(str(problem["path"]))),
            Qt.TextElideMode.ElideMiddle,
            right - after,
        )
        painter.setFont(small)
        painter.setPen(c.muted)
        painter.drawText(QPointF(after, top + metrics.ascent()), folder)
        reason = small_metrics.elidedText(why(problem), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(left, top + metrics.height() + small_metrics.ascent() + 1), reason)
        painter.restore()
