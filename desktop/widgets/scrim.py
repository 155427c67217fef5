"""A veil over the window while something lies on it, and the shadow of what does."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from desktop import theme
from desktop.theme import GRID

_VEIL = {False: 0.10, True: 0.35}  # by whether the scheme is dark, where black is seen less
_SHADOW = 3 * GRID


class Scrim(QWidget):
    """Covers its parent, whatever size that takes, and darkens it a little."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setGeometry(parent.rect())
        parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        parent = self.parentWidget()
        if parent is not None and watched is parent and event.type() == QEvent.Type.Resize:
            self.setGeometry(parent.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_veil(painter)
        painter.end()

    def paint_veil(self, painter: QPainter) -> None:
        """For subclasses, which paint on it."""
        veil = QColor(Qt.GlobalColor.black)
        veil.setAlphaF(_VEIL[theme.of(self.palette()).dark])
        painter.fillRect(self.rect(), veil)


def paint_panel(painter: QPainter, panel: QRectF, c: theme.Colours) -> None:
    """A surface that lies above the others: a soft shadow, an outline, the window's colour."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    shade = QColor(Qt.GlobalColor.black)
    for spread in range(_SHADOW, 0, -2):
        shade.setAlphaF(0.004 + 0.010 * (1 - spread / _SHADOW))
        painter.setBrush(shade)
        edge = panel.adjusted(-spread, -spread + GRID / 2, spread, spread + GRID / 2)
        painter.drawRoundedRect(edge, theme.RADIUS + spread, theme.RADIUS + spread)
    painter.setPen(c.edge)
    painter.setBrush(c.window)
    painter.drawRoundedRect(panel.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
