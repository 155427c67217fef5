"""One line above the results: what a person should know about this answer, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.theme import GRID, HALF


class Notice(QWidget):
    """A quiet strip with an icon, a sentence and perhaps one action; hidden when empty."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = "info"
        self._action: Callable[[], None] | None = None
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(self)
        self.button.setProperty("class", "quiet")
        self.button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID + 24, GRID, GRID, GRID)
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
        area = QRectF(self.rect()).adjusted(GRID, HALF, -GRID, -HALF)
        painter.drawRoundedRect(area, theme.RADIUS, theme.RADIUS)
        colour = c.warn if self._icon == "warning" else c.muted
        glyph = QRectF(2 * GRID, 0, 16, 16)
        glyph.moveTop(area.center().y() - 8)
        icons.paint(painter, self._icon, colour, glyph)
        painter.end()


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


class SearchesStrip(FittingRow):
    """On an empty field: kept searches and the latest ones, a click away."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, left=GRID, bottom=HALF)
        self._shown: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self.setAccessibleName(s.SEARCHES)

    def show_searches(self, saved: Sequence[str], history: Sequence[str]) -> None:
        """Kept ones first, then what was searched last; hidden when there are none."""
        self._shown = (tuple(saved), tuple(history))
        self.empty()
        c = theme.of(self.palette())
        recent = [text for text in history if text not in saved]
        for text, icon in [(t, "star") for t in saved[:4]] + [(t, "history") for t in recent[:4]]:
            shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 22 * GRID)
            button = QPushButton(shown.replace("&", "&&"), self)
            button.setProperty("class", "quiet")
            button.setIcon(icons.icon(icon, c.accent, size=16))
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.clicked.connect(partial(self.chosen.emit, text))
            self.put(button)
        self.finish()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.isVisible():
            self.show_searches(*self._shown)
