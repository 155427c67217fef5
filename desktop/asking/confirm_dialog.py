"""Another computer is asked only once its name was typed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.asking import strings as s
from desktop.theme import GRID


class ConfirmDialog(QDialog):
    """What would be sent where, and a field for the host's name."""

    def __init__(self, host: str, confirmed: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.CONFIRM_TITLE.format(host=host))
        self.setModal(True)
        self._confirmed = confirmed
        why = QLabel(s.OTHER_WHY.format(host=host), self)
        prompt = QLabel(s.CONFIRM_TYPE.format(host=host), self)
        for label in (why, prompt):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.field = QLineEdit(self)
        self.field.setAccessibleName(prompt.text())
        self.field.setMinimumWidth(56 * GRID)
        prompt.setBuddy(self.field)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.take = buttons.addButton(
            s.CONFIRM_YES.format(host=host).replace("&", "&&"),
            QDialogButtonBox.ButtonRole.AcceptRole,
        )
        self.take.setEnabled(False)
        self.field.textChanged.connect(
            lambda text: self.take.setEnabled(text.strip().casefold() == host.casefold())
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.close)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        for part in (why, prompt, self.field, buttons):
            column.addWidget(part)

    def _accept(self) -> None:
        self._confirmed(self.field.text().strip())
        self.close()
