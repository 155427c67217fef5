"""A button that is an icon."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from desktop import icons, theme


class ToolButton(QToolButton):
    """A quiet icon button that follows the palette."""

    def __init__(self, icon: str, name: str, parent: QWidget, clicked: Callable[[], None]) -> None:
        super().__init__(parent)
        self._icon_name = icon
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setIconSize(QSize(18, 18))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda _checked=False: clicked())
        self._colour()

    def _colour(self) -> None:
        c = theme.of(self.palette())
        self.setIcon(icons.icon(self._icon_name, c.muted, c.faded))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
