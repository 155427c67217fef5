"""Seeing pictures, offered: what it changes, its size, how long it takes; or how far it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.presentation import model_strings as ms
from desktop.theme import GRID, HALF
from desktop.wording import figures
from desktop.wording.language import tr


class SightCard(QWidget):
    """One model's offer, or what it is doing; hidden where there is neither."""

    wanted = Signal(dict)  # the offer that is taken
    declined = Signal()
    stopped = Signal()

    def __init__(self, parent: QWidget, *, at_home: bool = False) -> None:
        """`at_home`: with “not now”, which is remembered, in place of what it does now."""
        super().__init__(parent)
        self._at_home = at_home
        self._offer: dict[str, Any] = {}
        self.title = QLabel(self)
        self.title.setFont(theme.font(self.font(), 1, bold=True))
        self.about = _line(self)
        self.time = _line(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximum(1000)
        self.bar.setAccessibleName(ms.SIGHT_TITLE)
        self.start = QPushButton(self)
        self.start.clicked.connect(lambda: self.wanted.emit(self._offer))
        self.other = QPushButton(self)
        self.other.setProperty("class", "quiet")
        self.other.clicked.connect(self._other)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for button in (self.start, self.other):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(2 * GRID, GRID, 2 * GRID, GRID) if at_home else (0, 0, 0, 0))
        column.setSpacing(HALF)
        for part in (self.title, self.about, self.time, self.bar):
            column.addWidget(part)
        column.addLayout(row)
        self.hide()

    def show_models(self, answer: dict[str, Any]) -> None:
        """What the indexer tells of models."""
        offer, seeing = answer.get("offer"), answer.get("sight")
        rows = {row.get("id"): row for row in answer.get("models", ())}
        mine = rows.get(offer["id"], {}) if offer else {}
        if offer and not mine.get("activity"):
            self._show_offer(offer, begun=mine.get("state") == "incomplete")
        elif seeing and not self._at_home:
            self._show_seeing(seeing)
        else:
            self.hide()

    def _show_offer(self, offer: dict[str, Any], *, begun: bool) -> None:
        self._offer = offer
        free = ms.SIGHT_FREE if offer["commercial_use"] else ms.SIGHT_NOT_FREE
        size = int(offer["download_bytes"])
        said = ", ".join(filter(None, (free, figures.size(size) if size else "")))
        self.title.setText(f"{ms.SIGHT_TITLE}: {said}")
        self.about.setText(ms.SIGHT_CHANGES)
        pictures = s.pictures(int(offer["pictures"]))
        if offer.get("seconds") is None:
            self.time.setText(ms.SIGHT_UNKNOWN.format(pictures=pictures))
        else:
            time = figures.duration(float(offer["seconds"]))
            self.time.setText(ms.SIGHT_ESTIMATED.format(time=time, pictures=pictures))
        if self._at_home:  # the page of models asks for the licence and shows what follows
            self.start.setText(ms.SIGHT_MORE)
        elif begun:
            self.start.setText(ms.MODEL_GO_ON)
        else:
            self.start.setText(ms.SIGHT_START if size else ms.SIGHT_START_HERE)
        self.other.setText(ms.SIGHT_NOT_NOW)
        self._arrange(offered=True)

    def _show_seeing(self, seeing: dict[str, Any]) -> None:
        total, seen = int(seeing["pictures"]), int(seeing["seen"])
        self.title.setText(f"{ms.SIGHT_TITLE}: {tr(str(seeing['title']))}")
        error = seeing.get("error") or {}
        notes = [str(error[key]) for key in ("message", "hint") if error.get(key)]
        self.about.setText(" ".join(notes or map(str, seeing.get("notes", ()))))
        self.about.setVisible(bool(self.about.text()))
        said = [ms.SIGHT_SEEING.format(seen=figures.number(seen), pictures=figures.number(total))]
        if seen < total and seeing.get("seconds_each"):
            left = float(seeing["seconds_each"]) * (total - seen)
            said.append(ms.SIGHT_MEASURED.format(time=figures.duration(left)))
        self.time.setText(" ".join(said))
        self.bar.setValue(round(1000 * seen / max(total, 1)))
        self.other.setText(ms.SIGHT_STOP)
        self._arrange(offered=False, going=seen < total)

    def _arrange(self, *, offered: bool, going: bool = False) -> None:
        if offered:
            self.about.show()
        self.start.setVisible(offered)
        self.other.setVisible(self._at_home or not offered)
        self.bar.setVisible(going)
        self.show()

    def _other(self) -> None:
        if self._at_home:
            self.declined.emit()
        else:
            self.stopped.emit()


def _line(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
