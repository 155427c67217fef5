"""Monochrome SVG icons, drawn in whatever colour the palette asks for and sharp on every screen."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

FOLDER = Path(resources.__file__).parent / "icons"


@lru_cache(maxsize=256)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    svg = (FOLDER / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    return QSvgRenderer(QByteArray(svg.encode()))


def paint(painter: QPainter, name: str, colour: QColor, where: QRectF) -> None:
    """Draw an icon straight into a rectangle."""
    painter.save()
    painter.setOpacity(painter.opacity() * colour.alphaF())
    _renderer(name, colour.name()).render(painter, where)
    painter.restore()


def pixmap(name: str, colour: QColor, size: int, ratio: float) -> QPixmap:
    """An icon of size x size device-independent pixels."""
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter, name, colour, QRectF(0, 0, size, size))
    painter.end()
    return image


class _Drawn(QIconEngine):
    """Draws an icon when it is shown, as sharp as the screen is: of 140 a window shows a dozen, and
    drawing them all in three resolutions took an eighth of the processor time of its start."""

    def __init__(self, name: str, colour: QColor, faded: QColor, size: int) -> None:
        super().__init__()
        self._name, self._colour, self._faded, self._size = name, colour, faded, size

    def clone(self) -> QIconEngine:
        return _Drawn(self._name, self._colour, self._faded, self._size)

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        return size.boundedTo(QSize(self._size, self._size))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint(painter, self._name, self._in(mode), QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        side = min(size.width(), size.height())
        return pixmap(self._name, self._in(mode), side, scale)

    def _in(self, mode: QIcon.Mode) -> QColor:
        return self._faded if mode == QIcon.Mode.Disabled else self._colour


def icon(name: str, colour: QColor, faded: QColor | None = None, size: int = 18) -> QIcon:
    """An icon for buttons and menus; `faded` is its colour when disabled."""
    return QIcon(_Drawn(name, colour, faded or colour, size))


@cache
def app_icon() -> QIcon:
    """Inkling's own icon."""
    return QIcon(str(FOLDER / "inkling.svg"))
