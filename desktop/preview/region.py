"""Regions of a picture: how those that matched are drawn, and a rectangle to search with."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QRubberBand, QWidget

from desktop import theme
from desktop.presentation.outlines import outline
from desktop.theme import GRID

_MARGIN, _CORNER = 3.0, 4.0  # pixels of the screen around a region


def paint_regions(
    painter: QPainter, areas: Iterable[QRectF], c: theme.Colours, scale: float
) -> None:
    """Outline what matched; `scale`: pixels of the screen for one of the painter's."""
    fill = QColor(c.box)
    fill.setAlphaF(0.14)
    pen = QPen(c.box, 2)
    pen.setCosmetic(True)
    painter.setPen(pen)
    painter.setBrush(fill)
    painter.drawPath(outline(areas, _MARGIN / scale, _CORNER / scale))


class RegionBand(QObject):
    """A rectangle dragged over a view's viewport, while that is wanted."""

    chosen = Signal(QRect)  # of the viewport
    mode_changed = Signal(bool)

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._viewport = viewport
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, viewport)
        self._origin = QPoint()
        self.on = False
        viewport.installEventFilter(self)

    def set_mode(self, on: bool) -> None:
        """Whether a drag marks a region; the view must not move its content then."""
        if on == self.on:
            return
        self.on = on
        self._band.hide()
        cursor = Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor
        self._viewport.setCursor(cursor)
        self.mode_changed.emit(on)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        at, kind = event.position().toPoint(), event.type()
        if kind == QEvent.Type.MouseButtonPress and self.on:
            if event.button() == Qt.MouseButton.LeftButton:
                self._origin = at
                self._band.setGeometry(QRect(at, QSize()))
                self._band.show()
                return True
        elif kind == QEvent.Type.MouseMove and self._band.isVisible():
            self._band.setGeometry(QRect(self._origin, at).normalized())
            return True
        elif kind == QEvent.Type.MouseButtonRelease and self._band.isVisible():
            area = self._band.geometry()
            self._band.hide()
            if area.width() >= GRID and area.height() >= GRID:
                self.chosen.emit(area)
            return True
        return False
