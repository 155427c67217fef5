"""The searches offered on an empty field: kept ones first, then the latest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from desktop import icons, theme
from desktop import strings as s
from desktop.theme import GRID, HALF
from desktop.widgets.fitting_row import FittingRow


class SearchesStrip(FittingRow):
    """On an empty field: kept searches and the latest ones, a click away."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, left=GRID, bottom=HALF)
        self._shown: tuple[Sequence[str], Sequence[str], Sequence[str]] = ((), (), ())
        self.setAccessibleName(s.SEARCHES)

    def show_searches(
        self, saved: Sequence[str], history: Sequence[str], examples: Sequence[str] = ()
    ) -> None:
        """Kept ones, what was searched last, then examples; hidden when there are none."""
        self._shown = (tuple(saved), tuple(history), tuple(examples))
        self.empty()
        c = theme.of(self.palette())
        recent = [text for text in history if text not in saved]
        offered = [(t, "star", s.SEARCH_IS_KEPT) for t in saved[:4]]
        offered += [(t, "history", s.SEARCH_IS_RECENT) for t in recent[:4]]
        offered += [(t, "search", s.SEARCH_IS_EXAMPLE) for t in examples]
        for text, icon, what in offered:
            shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 28 * GRID)
            button = QPushButton(shown.replace("&", "&&"), self)
            button.setProperty("class", "quiet")
            button.setIcon(icons.icon(icon, c.accent, size=16))
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.setAccessibleDescription(what)
            button.clicked.connect(partial(self.chosen.emit, text))
            self.put(button)
        self.finish()

    @property
    def buttons(self) -> list[QPushButton]:
        """Those that are offered, from left to right."""
        return [part for part in self._parts if isinstance(part, QPushButton)]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.isVisible():
            self.show_searches(*self._shown)
