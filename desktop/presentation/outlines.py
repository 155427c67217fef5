"""The outline around what matched on a picture: one where frames would cross."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainterPath


def outline(areas: Iterable[QRectF], margin: float, corner: float) -> QPainterPath:
    """Around each area; the lines of a sentence, which stand close, have one together."""
    made = QPainterPath()
    made.setFillRule(Qt.FillRule.WindingFill)
    for area in areas:
        grown = area.adjusted(-margin, -margin, margin, margin)
        made.addRoundedRect(grown, corner, corner)
    return made.simplified()
