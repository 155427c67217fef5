"""One line above the results: what a person should know about this answer, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from desktop import icons, theme
from desktop.theme import GRID, HALF


class Notice(QWidget):
    """A quiet strip with an icon, a sentence and perhaps one action; hidden when empty."""

    def __init__(self, parent: QWidget, inset: int = GRID) -> None:
        """`inset`: how far its card lies within it."""
        super().__init__(parent)
        self._inset = inset
        self._icon = "info"
        self._action: Callable[[], None] | None = None
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(self)
        self.button.setProperty("class", "quiet")
        self.button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID + inset + 24, GRID, inset, GRID)
        row.setSpacing(GRID)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def show_notice(
        self,
        text: str,
        icon: str = "info",
        action: str = "",
        then: Callable[[], None] | None = None,
    ) -> None:
        """Say something, or nothing with an empty text."""
        self._icon, self._action = icon, then
        self.label.setText(text)
        self.label.setAccessibleName(text)
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self.setVisible(bool(text))
        self.update()

    def _act(self) -> None:
        if self._action is not None:
            self._action()

    def paintEvent(self, event: QPaintEvent) -> None:
        c = theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(c.raised)
        area = QRectF(self.rect()).adjusted(self._inset, HALF, -self._inset, -HALF)
        painter.drawRoundedRect(area, theme.RADIUS, theme.RADIUS)
        colour = c.warn if self._icon == "warning" else c.muted
        glyph = QRectF(GRID + self._inset, 0, 16, 16)
        glyph.moveTop(area.center().y() - 8)
        icons.paint(painter, self._icon, colour, glyph)
        painter.end()
