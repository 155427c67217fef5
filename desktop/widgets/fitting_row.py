"""A row of labels and buttons that shows only those that fit whole."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.theme import GRID, HALF


class FittingRow(QWidget):
    """A row of labels and buttons that shows only those that fit whole; half a word is none."""

    def __init__(self, parent: QWidget, left: int, bottom: int) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(left, HALF, GRID, bottom)
        self._row.setSpacing(HALF)
        self._parts: list[QWidget] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        self.hide()

    def empty(self) -> None:
        """Take everything out."""
        while item := self._row.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self._parts = []

    def put(self, widget: QWidget, gap: int = 0) -> None:
        """One more part, perhaps with a gap before it."""
        if gap and self._parts:
            self._row.addSpacing(gap)
        self._row.addWidget(widget)
        self._parts.append(widget)

    def finish(self) -> None:
        """All parts are in: show the row if there are any."""
        self._row.addStretch(1)
        self.setVisible(bool(self._parts))
        self._fit()

    def _fit(self) -> None:
        margins = self._row.contentsMargins()
        room = self.width() - margins.left() - margins.right() - 3 * GRID
        for part in self._parts:
            room -= part.sizeHint().width() + HALF
            part.setVisible(room >= 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
