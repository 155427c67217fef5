"""Windows that are no larger than their screen."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from desktop.theme import GRID

#: What a frame with its title takes.
_FRAME = QSize(2 * GRID, 6 * GRID)


def keep_on_screen(window: QWidget) -> None:
    """Make a window smaller where the screen is, or everything is shown very large: what does not
    fit any more is scrolled to."""
    room = window.screen().availableGeometry().size() - _FRAME
    window.resize(window.size().boundedTo(room))
