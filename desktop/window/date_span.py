"""From one day to another: the dates that no menu can list."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import (
    QDateEdit,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop.theme import GRID
from desktop.wording.figures import DAY_OF_YEAR, day

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)?\.\.(\d{4}-\d\d-\d\d)?")
_FORM = "yyyy-MM-dd"


def span_label(value: str) -> str:
    """A span as people write it; what is none stays as it was typed."""
    found = _SPAN.fullmatch(value)
    if found is None:
        return value
    first, last = (QDate.fromString(part or "", _FORM) for part in found.groups())
    if not first.isValid() and not last.isValid():
        return value
    return "–".join(day(date) if date.isValid() else "…" for date in (first, last))


class DateSpanDialog(QDialog):
    """Two days; what lies between them, both included."""

    def __init__(self, value: str, chosen: Callable[[str], None], parent: QWidget) -> None:
        """`value`: the present filter on the date, which is shown where it is a span."""
        super().__init__(parent)
        self.setWindowTitle(s.DATE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._chosen = chosen
        today = QDate.currentDate()
        found = _SPAN.fullmatch(value)
        known = found.groups() if found else (None, None)
        self.first = self._editor(known[0], today.addMonths(-1))
        self.last = self._editor(known[1], today)
        # A span never ends before it begins.
        self.first.dateChanged.connect(self.last.setMinimumDate)
        self.last.setMinimumDate(self.first.date())
        form = QFormLayout()
        form.setHorizontalSpacing(2 * GRID)
        form.setVerticalSpacing(GRID)
        form.addRow(s.FROM_DAY, self.first)
        form.addRow(s.TO_DAY, self.last)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.rejected.connect(self.close)
        take = buttons.addButton(s.SHOW_SPAN, QDialogButtonBox.ButtonRole.AcceptRole)
        take.setDefault(True)
        buttons.accepted.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(form)
        column.addWidget(buttons)

    def _editor(self, value: str | None, otherwise: QDate) -> QDateEdit:
        date = QDate.fromString(value or "", _FORM)
        editor = QDateEdit(date if date.isValid() else otherwise, self)
        editor.setCalendarPopup(True)
        editor.setDisplayFormat(DAY_OF_YEAR)
        editor.setMinimumWidth(20 * GRID)
        return editor

    def _take(self) -> None:
        self._chosen(f"{self.first.date().toString(_FORM)}..{self.last.date().toString(_FORM)}")
        self.close()
