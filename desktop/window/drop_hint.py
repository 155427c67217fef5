"""Takes a picture that is dropped on the window; while it is held there, says what happens."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.theme import GRID
from desktop.widgets.scrim import Scrim
from desktop.window.query_picture import picture_in


class DropHint(Scrim):
    """A frame round the window and a sentence in its middle; hears the window's events."""

    def __init__(self, dropped: Callable[[QMimeData], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._dropped = dropped
        parent.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(s.DROP_PICTURE)
        self.hide()

    def appear(self) -> None:
        """A picture is held over the window."""
        self.raise_()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event:
            case QDragEnterEvent() if event.source() is None and picture_in(event.mimeData()):
                event.acceptProposedAction()
                self.appear()
                return True
            case QDragLeaveEvent():
                self.hide()
            case QDropEvent() if event.type() == QEvent.Type.Drop:
                self.hide()
                if picture_in(event.mimeData()):
                    event.acceptProposedAction()
                    self._dropped(event.mimeData())
                    return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        surface = QColor(c.window)
        surface.setAlphaF(0.88)
        painter.fillRect(self.rect(), surface)
        painter.setPen(QPen(c.accent, 2, Qt.PenStyle.DashLine))
        frame = QRectF(self.rect()).adjusted(2 * GRID, 2 * GRID, -2 * GRID, -2 * GRID)
        painter.drawRoundedRect(frame, theme.RADIUS, theme.RADIUS)
        glyph = QRectF(0, 0, 5 * GRID, 5 * GRID)
        glyph.moveCenter(frame.center())
        glyph.translate(0, -4 * GRID)
        icons.paint(painter, "picture", c.accent, glyph)
        painter.setFont(theme.font(self.font(), 4, bold=True))
        painter.setPen(c.text)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, s.DROP_PICTURE)
        painter.end()
