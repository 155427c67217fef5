"""An empty state: a quiet icon, one sentence, one action."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import icons, theme
from desktop.theme import GRID


class EmptyState(QWidget):
    """Says why there is nothing here and what to do about it."""

    clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon_name = "search"
        self._icon = QLabel(self)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence = QLabel(self)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence.setWordWrap(True)
        self._sentence.setForegroundRole(self._sentence.palette().ColorRole.PlaceholderText)
        self.button = QPushButton(self)
        self.button.clicked.connect(self.clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        column.setSpacing(2 * GRID)
        column.addStretch(2)
        column.addWidget(self._icon)
        column.addWidget(self._sentence)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def show_state(self, icon: str, sentence: str, action: str = "") -> None:
        """One sentence, and one action where there is something to do."""
        self._icon_name = icon
        self._sentence.setText(sentence)
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self._colour()

    @property
    def sentence(self) -> str:
        return self._sentence.text()

    def _colour(self) -> None:
        c = theme.of(self.palette())
        colour = c.line if not c.dark else c.line.lighter(130)
        self._icon.setPixmap(
            icons.pixmap(self._icon_name, colour, 5 * GRID, self.devicePixelRatioF())
        )

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
