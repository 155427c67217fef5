"""The one key that brings up the panel, by whatever the system has for it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.system import current
from desktop.system.keys import parsed
from desktop.system.protocol import BoundKey
from engine.contract.errors import InklingError


class GlobalKey(QObject):
    """Holds the key that the setting says; tells here when it was pressed."""

    pressed = Signal(str)  # a token with which the focus may be taken; "" where none is needed
    failed = Signal(object)  # InklingError

    def __init__(self, description: str, parent: QObject | None = None) -> None:
        """`description`: what the key does, for the desktop to show."""
        super().__init__(parent)
        self._description = description
        self._bound: BoundKey | None = None

    def bind(self, text: str) -> None:
        """Another key, or none; `failed` may follow at once or once the person has been asked."""
        self.close()
        if not text.strip():
            return
        try:
            # Signals may be emitted from any thread: they arrive on this object's.
            self._bound = current().bind_key(
                parsed(text), text, self._description, self.pressed.emit, self.failed.emit
            )
        except InklingError as error:
            self.failed.emit(error)

    def close(self) -> None:
        """Give the key back."""
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.stop()
