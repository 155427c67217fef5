"""Quick look: the chosen result, large; Space or Escape closes it, arrows go through the list."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from desktop.connection import IndexerConnection
from desktop.presentation.thumbnails import Thumbnails
from desktop.preview.pane import PreviewPane
from desktop.theme import GRID
from engine.contract.types import Hit


class QuickLook(QDialog):
    """A large preview over the window that keeps the list where it is."""

    stepped = Signal(int)
    opened = Signal()

    def __init__(
        self, service: IndexerConnection, parent: QWidget, thumbnails: Thumbnails | None = None
    ) -> None:
        super().__init__(parent)
        self.pane = PreviewPane(service, self, thumbnails)
        # Else Qt gives the focus to the first link, which takes Space and Return.
        self.pane.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.pane.setFocus()
        self.pane.open_wanted.connect(self.opened)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, GRID)
        column.addWidget(self.pane)
        # The views inside take keys first; arrows and Space mean something else here.
        for view in self.pane.views:
            view.installEventFilter(self)

    def show_hit(self, hit: Hit) -> None:
        """Show a result, and the dialog if it is not there yet."""
        self.setWindowTitle(PurePath(hit.path).name)
        if not self.isVisible():
            owner = self.parentWidget()
            if owner is not None:
                self.resize(owner.width() * 9 // 10, owner.height() * 9 // 10)
            self.show()
        self.pane.show_hit(hit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._take(event):
            super().keyPressEvent(event)

    def _take(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Space, Qt.Key.Key_Escape):
            self.close()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.stepped.emit(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Left) and self.pane.page is not None:
            self.pane.turn(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.pane.zoom(1)
        elif key == Qt.Key.Key_Minus:
            self.pane.zoom(-1)
        elif key == Qt.Key.Key_0:
            self.pane.zoom(0)
        else:
            return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and self._take(event):
                return True
        return super().eventFilter(watched, event)
