"""First run: choose folders, know what stays here, start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QDir, QSize, QStandardPaths, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import icons, theme
from desktop import strings as s
from desktop.connection import IndexerConnection
from desktop.presentation.paths import short_path
from desktop.theme import GRID
from desktop.window.notice import Notice
from desktop.wording import figures, telling
from desktop.wording.language import tr
from engine.contract.errors import InklingError

_LOCATIONS = {
    "PICTURES": QStandardPaths.StandardLocation.PicturesLocation,
    "DOCUMENTS": QStandardPaths.StandardLocation.DocumentsLocation,
    "DESKTOP": QStandardPaths.StandardLocation.DesktopLocation,
    "DOWNLOADS": QStandardPaths.StandardLocation.DownloadLocation,
}
_CODE = ("code", "Code", "src", "projects", "Projects", "dev", "repos", "git", "workspace")
_CHOSEN = ("PICTURES", "DOCUMENTS", "DESKTOP")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A folder worth offering."""

    path: str
    title: str
    chosen: bool
    why: str = ""  # it is ticked, or not


def suggestions() -> list[Suggestion]:
    """The person's usual folders that exist, each once; home itself is never offered."""
    home = Path.home()
    found: dict[str, Suggestion] = {}
    for name, location in _LOCATIONS.items():
        path = QStandardPaths.writableLocation(location)
        if path and os.path.isdir(path) and Path(path) != home:
            chosen, why = name in _CHOSEN, s.SUGGESTED_WHY[name]
            found.setdefault(path, Suggestion(path, s.SUGGESTED[name], chosen, why))
    for name in _CODE:
        path = str(home / name)
        if os.path.isdir(path):
            found.setdefault(
                path, Suggestion(path, s.SUGGESTED["CODE"], True, s.SUGGESTED_WHY["CODE"])
            )
    return list(found.values())


class Onboarding(QWidget):
    """One page: a sentence, the folders with what is in them, what stays private, Start."""

    finished = Signal()

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self._rows: dict[str, tuple[QCheckBox, QLabel]] = {}
        self._estimates: dict[str, dict[str, Any]] = {}
        self._adding: list[str] = []  # chosen before the indexer answered
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(3 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(0, 1)
        self._total = _label("", self, muted=True)
        self.start = QPushButton(s.WELCOME_START, self)
        self.start.setDefault(True)
        self.start.clicked.connect(self._start)
        self.later = QPushButton(s.WELCOME_LATER, self)
        self.later.clicked.connect(self.finished)
        self.other = QPushButton(s.WELCOME_OTHER, self)
        self.other.setProperty("class", "link")
        self.other.clicked.connect(self._pick)
        self.notice = Notice(self, inset=0)
        self._lay_out()
        service.connected.connect(self._connected)
        service.unavailable.connect(self._unavailable)

    def _lay_out(self) -> None:
        icon = QLabel(self)
        ratio = self.devicePixelRatioF()
        logo = icons.app_icon().pixmap(QSize(8 * GRID, 8 * GRID), ratio)
        # The drawing stands off its edge; the text below begins at it.
        icon.setPixmap(logo.copy(round(4 * ratio), 0, logo.width(), logo.height()))
        title = _label(s.WELCOME, self)
        title.setFont(theme.font(self.font(), 8, bold=True))
        title.setWordWrap(True)
        shield = QLabel(self)
        shield.setPixmap(
            icons.pixmap("shield", theme.of(self.palette()).good, 20, self.devicePixelRatioF())
        )
        private = QHBoxLayout()
        private.setSpacing(GRID)
        private.addWidget(shield, 0, Qt.AlignmentFlag.AlignTop)
        private.addWidget(_label(s.WELCOME_PRIVATE, self, muted=True), 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self._total, 1)
        buttons.addWidget(self.later)
        buttons.addWidget(self.start)
        card = QWidget(self)
        card.setMaximumWidth(76 * GRID)
        column = QVBoxLayout(card)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(icon)
        column.addWidget(title)
        column.addWidget(_label(s.WELCOME_WHY, self, muted=True))
        column.addSpacing(GRID)
        column.addLayout(self._grid)
        column.addWidget(self.other, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(GRID)
        column.addLayout(private)
        column.addWidget(self.notice)
        column.addSpacing(GRID)
        column.addLayout(buttons)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        middle = QVBoxLayout()
        middle.addStretch(2)
        middle.addWidget(card)
        middle.addStretch(3)
        outer.addLayout(middle, 10)
        outer.addStretch(1)

    def begin(self) -> None:
        """Offer the usual folders and count what is in them; called again it changes nothing."""
        if not self._rows:
            for suggestion in suggestions():
                self.offer(suggestion)
            self._sum()

    def offer(self, suggestion: Suggestion) -> None:
        """One more folder, with an estimate of its own."""
        if suggestion.path in self._rows:
            self._rows[suggestion.path][0].setChecked(True)
            return
        row = len(self._rows)
        box = QCheckBox(suggestion.title.replace("&", "&&"), self)
        box.setChecked(suggestion.chosen)
        said = " · ".join(filter(None, (short_path(suggestion.path), suggestion.why)))
        box.setAccessibleDescription(said)
        box.toggled.connect(lambda _on: self._sum())
        about = _label(said, self, muted=True)
        about.setTextFormat(Qt.TextFormat.PlainText)
        about.setFont(theme.font(self.font(), -1))
        about.setContentsMargins(3 * GRID + 2, 0, 0, GRID)
        count = _label(s.COUNTING, self, muted=True)
        count.setWordWrap(False)
        self._grid.addWidget(box, 2 * row, 0)
        self._grid.addWidget(count, 2 * row, 1, Qt.AlignmentFlag.AlignRight)
        self._grid.addWidget(about, 2 * row + 1, 0, 1, 2)
        self._rows[suggestion.path] = (box, count)
        if self._service.ready:
            self._estimate(suggestion.path)

    def _estimate(self, path: str) -> None:
        count = self._rows[path][1]
        self._service.call(
            lambda client: client.call("POST", "/v1/estimate", {"paths": [path]}),
            partial(self._estimated, path),
            lambda _error: count.setText(""),
        )

    def _connected(self) -> None:
        """The indexer answers, perhaps later than the person did."""
        self.notice.show_notice("")
        for path, (_, count) in self._rows.items():
            if path not in self._estimates:
                count.setText(s.COUNTING)
                self._estimate(path)
        if self._adding:
            self._add()

    def _unavailable(self, error: InklingError) -> None:
        """Nothing is counted and nothing begins: that is said, with what helps."""
        for path, (_, count) in self._rows.items():
            if path not in self._estimates:
                count.clear()
        self._sum()
        said = telling.said(error)
        self.notice.show_notice(said, "warning", s.START_INDEXER, self._service.start)

    def chosen(self) -> list[str]:
        return [path for path, (box, _) in self._rows.items() if box.isChecked()]

    def _estimated(self, path: str, estimate: dict[str, Any]) -> None:
        self._estimates[path] = estimate
        files = int(estimate.get("files", 0))
        text = f"{s.files(files)} · {figures.size(int(estimate.get('bytes', 0)))}"
        self._rows[path][1].setText(text)
        self._sum()

    def _sum(self) -> None:
        chosen = self.chosen()
        self.start.setEnabled(bool(chosen))
        known = [self._estimates[path] for path in chosen if path in self._estimates]
        files = sum(int(e.get("files", 0)) for e in known)
        seconds = sum(float(e.get("seconds") or 0) for e in known)
        self._total.setText(
            tr("{files}, {time}; usable at once").format(
                files=s.files(files), time=figures.about(seconds)
            )
            if files
            else ""
        )

    def _pick(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, s.CHOOSE_FOLDERS, QDir.homePath())
        if folder:
            self.offer(Suggestion(os.path.normpath(folder), Path(folder).name or folder, True))
            self._sum()

    def _start(self) -> None:
        self._adding = self.chosen()
        self.start.setEnabled(False)
        if self._service.ready:
            self._add()
        else:
            self._total.setText(s.STARTING)

    def _add(self) -> None:
        folders, self._adding = self._adding, []
        self._service.call(
            lambda client: client.add(folders),
            lambda _answer: self.finished.emit(),
            self._failed,
        )

    def _failed(self, error: InklingError) -> None:
        self._sum()
        self.notice.show_notice(telling.said(error), "warning")


def _label(text: str, parent: QWidget, *, muted: bool = False) -> QLabel:
    label = QLabel(text, parent)
    label.setWordWrap(True)
    if muted:
        label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
