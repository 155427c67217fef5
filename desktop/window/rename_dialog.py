"""A file's new name: what stands before its ending is selected, as one mostly changes that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from desktop import strings as s
from desktop.presentation.paths import printable
from desktop.theme import GRID


class RenameDialog(QDialog):
    """One field and two buttons."""

    def __init__(self, name: str, renamed: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.RENAME_TITLE.format(name=printable(name)))
        self.setModal(True)
        self._renamed = renamed
        self.field = QLineEdit(name, self)
        self.field.setAccessibleName(s.RENAME_FIELD)
        self.field.setMinimumWidth(56 * GRID)
        self.field.setSelection(0, len(PurePath(name).stem))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.take = buttons.addButton(s.RENAME, QDialogButtonBox.ButtonRole.AcceptRole)
        self.take.setDefault(True)
        self.take.setEnabled(False)
        self.field.textChanged.connect(
            lambda text: self.take.setEnabled(bool(text.strip()) and text != name)
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(self.field)
        column.addWidget(buttons)

    def _accept(self) -> None:
        self._renamed(self.field.text())
        self.close()
