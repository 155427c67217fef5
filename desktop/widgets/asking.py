"""A question before what can't be taken back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_first(parent: QWidget, text: str, why: str, yes: str, then: Callable[[], None]) -> None:
    """Ask, without waiting for the answer; `then` is called for a yes."""
    box = QMessageBox(parent)
    box.setText(text)
    box.setInformativeText(why)
    agreed = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    agreed.clicked.connect(then)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
