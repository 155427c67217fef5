"""A line to type in, which leaves the window its keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit


class Field(QLineEdit):
    """Keys of the window's actions are theirs, and Escape is."""

    dismissed = Signal()

    def event(self, event: QEvent) -> bool:
        """On Linux a line takes Ctrl+E for its end."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            pressed = QKeySequence(event.keyCombination())
            actions = self.window().actions()
            if any(pressed in one.shortcuts() for one in actions if one.isEnabled()):
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)
