"""Monochrome SVG icons, drawn in whatever colour the palette asks for and sharp on every screen."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources

FOLDER = Path(resources.__file__).parent / "icons"
_RATIOS = (1.0, 2.0, 3.0)  # device pixels per pixel: 100, 200 and 300 % screens


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


def icon(name: str, colour: QColor, faded: QColor | None = None, size: int = 18) -> QIcon:
    """An icon for buttons and menus; `faded` is its colour when disabled."""
    made = QIcon()
    for ratio in _RATIOS:
        made.addPixmap(pixmap(name, colour, size, ratio))
        if faded is not None:
            made.addPixmap(pixmap(name, faded, size, ratio), QIcon.Mode.Disabled)
    return made


@cache
def app_icon() -> QIcon:
    """Inkling's own icon."""
    return QIcon(str(FOLDER / "inkling.svg"))
