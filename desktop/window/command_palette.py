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
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
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
from desktop.widgets.scrim import Scrim, paint_panel
from desktop.window.actions import ACTIONS, Spec, keys_text
from desktop.wording.language import tr

_ID = Qt.ItemDataRole.UserRole
_WIDE, _HIGH = 64 * GRID, 52 * GRID  # the most
_TOP = 10 * GRID


def matches(typed: str, title: str) -> int:
    """How well a title fits: 3 begins so, 2 its words do, 1 has the letters in order, 0 not."""
    typed, title = typed.lower().strip(), title.lower()
    if title.startswith(typed):
        return 3
    if all(any(word.startswith(part) for word in title.split()) for part in typed.split()):
        return 2
    letters = iter(title)
    return 1 if all(letter in letters for letter in typed if letter != " ") else 0


class CommandPalette(Scrim):
    """A field and the actions that fit it, no higher than these, over the darkened window; Enter
    does the first, Escape or a click beside it closes it."""

    chosen = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self._before: QWidget | None = parent.window().focusWidget()
        self._panel = QWidget(self)
        self.field = QLineEdit(self._panel)
        self.field.setProperty("class", "plain")
        self.field.setFont(theme.font(self.font(), 3))
        self.field.setPlaceholderText(s.PALETTE_PLACEHOLDER)
        self.field.setAccessibleName(s.PALETTE_PLACEHOLDER)
        self.field.setTextMargins(GRID, GRID, GRID, GRID)
        self.list = QListWidget(self._panel)
        self.list.setItemDelegate(_ActionDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName(s.PALETTE_PLACEHOLDER)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its keys are taken by the field
        column = QVBoxLayout(self._panel)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(HALF)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._take)
        self._fill("")
        self.setAccessibleName(s.PALETTE_PLACEHOLDER)
        self.raise_()
        self.field.setFocus()

    def _fill(self, typed: str) -> None:
        self.list.clear()
        ranked = [
            (matches(typed, tr(spec.title)), spec)
            for spec in ACTIONS.values()
            if spec.id != "palette" and self._actions[spec.id].isEnabled()
        ]
        for rank, spec in sorted(ranked, key=lambda pair: -pair[0]):
            if rank:
                item = QListWidgetItem(tr(spec.title).rstrip(" …"))
                item.setData(_ID, spec.id)
                keys = keys_text(spec)
                item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, keys)
                self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._fit()

    def _fit(self) -> None:
        """As high as what is offered, in the middle of the window."""
        rows = self.list.count() * max(self.list.sizeHintForRow(0), 0)
        self.list.setVisible(rows > 0)
        head = self.field.sizeHint().height() + 2 * GRID
        high = min(head + (rows + HALF if rows else 0), _HIGH, self.height() - _TOP - 3 * GRID)
        wide = min(_WIDE, self.width() - 6 * GRID)
        self._panel.setGeometry((self.width() - wide) // 2, _TOP, wide, max(high, head))
        self.update()

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            name = str(item.data(_ID))
            self.dismiss()
            self.chosen.emit(name)

    def dismiss(self) -> None:
        """Away, and the focus where it was."""
        self.close()
        if self._before is not None:
            self._before.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent):
            return self._key(event)
        if watched is self.parent() and event.type() == QEvent.Type.Resize:
            done = super().eventFilter(watched, event)
            self._fit()
            return done
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        """Whether the palette took a key that the field got."""
        key = event.key()
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # no action of the window below is meant
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        steps = {int(Qt.Key.Key_Down): 1, int(Qt.Key.Key_Up): -1}
        if key in steps and self.list.count():
            row = (self.list.currentRow() + steps[key]) % self.list.count()
            self.list.setCurrentRow(row)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self.list.currentItem())
        elif key == Qt.Key.Key_Escape or (event.key() == Qt.Key.Key_K and _by_control(event)):
            self.dismiss()
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)  # there is nowhere else to go
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._panel.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_veil(painter)
        paint_panel(painter, QRectF(self._panel.geometry()), theme.of(self.palette()))
        painter.end()


def _by_control(event: QKeyEvent) -> bool:
    return event.modifiers() == Qt.KeyboardModifier.ControlModifier


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
            theme.paint_chosen(painter, row, c, chosen=True)
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
