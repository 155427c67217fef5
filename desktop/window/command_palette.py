"""Ctrl+K: every action by a few letters of its name."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop import icons, theme
from desktop import strings as s
from desktop.theme import GRID, HALF
from desktop.window.actions import ACTIONS, Spec, keys_text

_ID = Qt.ItemDataRole.UserRole


def matches(typed: str, title: str) -> int:
    """How well a title fits: 3 begins so, 2 its words do, 1 has the letters in order, 0 not."""
    typed, title = typed.lower().strip(), title.lower()
    if title.startswith(typed):
        return 3
    if all(any(word.startswith(part) for word in title.split()) for part in typed.split()):
        return 2
    letters = iter(title)
    return 1 if all(letter in letters for letter in typed if letter != " ") else 0


class CommandPalette(QDialog):
    """A field and the actions that fit it; Enter does the first."""

    chosen = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._actions = actions
        self.setWindowTitle(s.PALETTE_PLACEHOLDER)
        self.field = QLineEdit(self)
        self.field.setProperty("class", "plain")
        self.field.setFont(theme.font(self.font(), 3))
        self.field.setPlaceholderText(s.PALETTE_PLACEHOLDER)
        self.field.setAccessibleName(s.PALETTE_PLACEHOLDER)
        self.field.setTextMargins(GRID, GRID, GRID, GRID)
        self.list = QListWidget(self)
        self.list.setItemDelegate(_ActionDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName(s.PALETTE_PLACEHOLDER)
        self.list.setMouseTracking(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(HALF)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._take)
        self._fill("")
        self.resize(64 * GRID, 52 * GRID)
        self._centre(parent)
        self.field.setFocus()

    def _centre(self, parent: QWidget) -> None:
        window = parent.window()
        at = window.mapToGlobal(window.rect().topLeft())
        self.move(at.x() + (window.width() - self.width()) // 2, at.y() + 10 * GRID)

    def _fill(self, typed: str) -> None:
        self.list.clear()
        ranked = [
            (matches(typed, s.tr(spec.title)), spec)
            for spec in ACTIONS.values()
            if spec.id != "palette" and self._actions[spec.id].isEnabled()
        ]
        for rank, spec in sorted(ranked, key=lambda pair: -pair[0]):
            if rank:
                item = QListWidgetItem(s.tr(spec.title).rstrip("…"))
                item.setData(_ID, spec.id)
                keys = keys_text(spec)
                item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, keys)
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            name = str(item.data(_ID))
            self.accept()
            self.chosen.emit(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {int(Qt.Key.Key_Down): 1, int(Qt.Key.Key_Up): -1}
            if event.key() in steps and self.list.count():
                row = (self.list.currentRow() + steps[event.key()]) % self.list.count()
                self.list.setCurrentRow(row)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: object) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), c.window)
        painter.setPen(c.line)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


class _ActionDelegate(QStyledItemDelegate):
    """Icon, title, key on the right."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(0, max(4 * GRID + HALF, option.fontMetrics.height() + 2 * GRID))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        spec: Spec = ACTIONS[str(index.data(_ID))]
        c = theme.of(option.palette)
        row = QRectF(option.rect).adjusted(0, 1, 0, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(c.selected)
            painter.drawRoundedRect(row, 6, 6)
        if spec.icon:
            glyph = QRectF(row.left() + GRID, row.center().y() - 9, 18, 18)
            icons.paint(painter, spec.icon, c.muted, glyph)
        text = row.adjusted(5 * GRID, 0, -2 * GRID, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(c.text)
        painter.drawText(text, middle | Qt.AlignmentFlag.AlignLeft, str(index.data()))
        painter.setPen(option.palette.color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(text, middle | Qt.AlignmentFlag.AlignRight, keys_text(spec))
        painter.restore()
