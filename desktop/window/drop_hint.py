"""Says what happens with a picture that is held over the window."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.theme import GRID
from desktop.widgets.scrim import Scrim


class DropHint(Scrim):
    """A frame round the window and a sentence in its middle; takes no events itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(s.DROP_PICTURE)
        self.hide()

    def appear(self) -> None:
        """A picture is held over the window."""
        self.raise_()
        self.show()

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
