"""Metadata of a result: path, kind, size, dates, where and how it was found."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

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
        self._rows = QGridLayout(self)  # a form gives wrapped lines less height than they need
        self._rows.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._rows.setHorizontalSpacing(2 * GRID)
        self._rows.setVerticalSpacing(HALF)
        self._rows.setColumnStretch(1, 1)
        self._hit: Hit | None = None
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
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if hit is None:
            return
        told = hit.attributes
        said = (
            (s.DETAILS_PATH, printable(hit.path)),
            (s.DETAILS_KIND, kinds.name(hit)),
            (s.DETAILS_PLACE, s.place(hit.location)),
            (s.DETAILS_SIZE, figures.size(hit.size) if hit.size else ""),
            (s.DETAILS_TAKEN, figures.long_date(hit.date) if "taken" in told else ""),
            (s.DETAILS_CAMERA, str(told.get("camera", ""))),
            (s.DETAILS_LENGTH, figures.running_time(float(told.get("seconds", 0)))),
            (s.DETAILS_MODIFIED, figures.long_date(hit.mtime) if hit.mtime else ""),
            (s.DETAILS_FOUND, s.found_by(hit.lanes)),
        )
        above = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        for row, (name, value) in enumerate(pair for pair in said if pair[1]):
            self._rows.addWidget(self._label(name, muted=True), row, 0, above)
            self._rows.addWidget(self._label(value), row, 1)

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
