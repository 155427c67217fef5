"""Metadata of a result: path, kind, size, dates, where and how it was found."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from desktop import strings as s
from desktop import theme
from desktop.presentation import kinds
from desktop.presentation.paths import printable
from desktop.theme import GRID, HALF
from desktop.wording import figures
from engine.contract.types import Hit


class Details(QWidget):
    """A small form; every value can be selected and copied."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._form.setHorizontalSpacing(2 * GRID)
        self._form.setVerticalSpacing(HALF)
        self._hit: Hit | None = None
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_hit(self, hit: Hit | None) -> None:
        self._hit = hit
        if not self.isHidden():  # most people never open it, and a step through the list is quick
            self._fill()

    def setVisible(self, visible: bool) -> None:
        super().setVisible(visible)
        if visible:
            self._fill()

    def _fill(self) -> None:
        hit = self._hit
        while self._form.rowCount():
            self._form.removeRow(0)
        if hit is None:
            return
        told = hit.attributes
        lanes = ", ".join(dict.fromkeys(s.LANES[lane] for lane in hit.lanes if lane in s.LANES))
        for name, value in (
            (s.DETAILS_PATH, printable(hit.path)),
            (s.DETAILS_KIND, kinds.name(hit)),
            (s.DETAILS_PLACE, s.place(hit.location)),
            (s.DETAILS_SIZE, figures.size(hit.size) if hit.size else ""),
            (s.DETAILS_TAKEN, figures.long_date(hit.date) if "taken" in told else ""),
            (s.DETAILS_CAMERA, str(told.get("camera", ""))),
            (s.DETAILS_LENGTH, figures.running_time(float(told.get("seconds", 0)))),
            (s.DETAILS_MODIFIED, figures.long_date(hit.mtime) if hit.mtime else ""),
            (s.DETAILS_FOUND, lanes),
        ):
            if value:
                self._form.addRow(self._label(name, muted=True), self._label(value))

    def _label(self, text: str, *, muted: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(theme.font(self.font(), -1))
        if muted:
            label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
        else:
            label.setWordWrap(True)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        return label
