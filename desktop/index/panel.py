"""The index: folders and progress, problems, what is left out or withheld, model, space."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.index.left_out_page import LeftOutPage
from desktop.index.model_page import ModelPage
from desktop.index.privacy_page import PrivacyPage
from desktop.index.problem_list import ProblemList
from desktop.presentation.paths import printable, short_path
from desktop.theme import GRID, HALF
from desktop.widgets.asking import ask_first
from desktop.widgets.elided_label import ElidedLabel
from desktop.wording import figures, telling
from desktop.wording.language import tr

_TABS = ("folders", "problems", "left-out", "withheld", "model", "privacy")


class IndexPanel(QDialog):
    """Six pages; follows the indexer while it is open."""

    add_wanted = Signal()

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self.setWindowTitle(s.INDEX_TITLE)
        self.folders = FolderPage(service, self)
        self.folders.add_wanted.connect(self.add_wanted)
        self.problems = ProblemPage(service, withheld=False, parent=self)
        self.withheld = ProblemPage(service, withheld=True, parent=self)
        self.left_out = LeftOutPage(service, self)
        self.model = ModelPage(service, self)
        self.privacy = PrivacyPage(service, self)
        self.privacy.withheld_wanted.connect(lambda: self.show_tab("withheld"))
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.folders, s.TAB_FOLDERS),
            (self.problems, s.TAB_PROBLEMS),
            (self.left_out, s.TAB_LEFT_OUT),
            (self.withheld, s.TAB_WITHHELD),
            (self.model, s.TAB_MODEL),
            (self.privacy, s.TAB_PRIVACY),
        ):
            self.tabs.addTab(page, title)
        self.tabs.currentChanged.connect(self._tab_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column.addWidget(self.tabs)
        self.resize(88 * GRID, 68 * GRID)
        service.status_changed.connect(self._take_status)
        if service.status:
            self._take_status(service.status)

    def show_tab(self, name: str) -> None:
        """Open at a page."""
        self.tabs.setCurrentIndex(_TABS.index(name))
        self._tab_changed()

    def _tab_changed(self, _index: int = 0) -> None:
        page = self.tabs.currentWidget()
        if isinstance(page, ProblemPage | LeftOutPage | ModelPage | PrivacyPage):
            page.load()

    def _take_status(self, status: dict[str, Any]) -> None:
        self.folders.show_status(status)
        totals = status.get("totals") or {}
        for page, title, key in (
            (self.problems, s.TAB_PROBLEMS, "failed"),
            (self.withheld, s.TAB_WITHHELD, "withheld"),
        ):
            count = int(totals.get(key, 0))
            label = f"{title} ({figures.number(count)})" if count else title
            self.tabs.setTabText(self.tabs.indexOf(page), label)


class FolderPage(QWidget):
    """Every watched folder with its progress."""

    add_wanted = Signal()

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self._rows: dict[str, _FolderRow] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(2 * GRID)
        self._list.addStretch(1)
        inner = QWidget(self)
        inner.setLayout(self._list)
        self._list.setContentsMargins(GRID, 2 * GRID, GRID, GRID)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        self.space = _muted("", self)
        self.health = _muted("", self)
        self.health.setWordWrap(True)
        self.health.hide()
        self.pause = QPushButton(s.PAUSE, self)
        self.pause.clicked.connect(self._toggle_pause)
        add = QPushButton(s.ADD_FOLDER, self)
        add.clicked.connect(self.add_wanted)
        add.setDefault(True)
        row = QHBoxLayout()
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(self.space, 1)
        row.addWidget(self.pause)
        row.addWidget(add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, 1)
        column.addWidget(self.health)
        column.addLayout(row)

    def show_status(self, status: dict[str, Any]) -> None:
        """Update the rows in place, so that nothing flickers while it indexes."""
        folders = {str(f["path"]): f for f in status.get("folders", ())}
        for path in [p for p in self._rows if p not in folders]:
            row = self._rows.pop(path)
            self._list.removeWidget(row)
            row.deleteLater()
        for path, folder in folders.items():
            if path not in self._rows:
                self._rows[path] = _FolderRow(path, self)
                self._rows[path].remove.clicked.connect(partial(self._remove, path))
                self._list.insertWidget(self._list.count() - 1, self._rows[path])
            self._rows[path].show_folder(folder)
        used = s.SPACE_USED.format(size=figures.size(int(status.get("index_bytes") or 0)))
        files = int((status.get("totals") or {}).get("files", 0))
        self.space.setText(f"{s.files(files)} · {used}")
        self._paused = status.get("state") == "paused"
        self.pause.setText(s.RESUME if self._paused else s.PAUSE)
        health = [
            f"{tr(h.get('title', ''))} {tr(h.get('hint', ''))}" for h in status.get("health", ())
        ]
        self.health.setText("\n".join(health))
        self.health.setVisible(bool(health))

    def _toggle_pause(self) -> None:
        paused = self._paused
        self._service.call(
            lambda client: client.resume() if paused else client.pause(None),
            lambda _answer: self._service.refresh(),
        )

    def _remove(self, path: str) -> None:
        question = s.REMOVE_FOLDER_ASK.format(folder=printable(path))
        ask_first(self, question, s.REMOVE_FOLDER_WHY, s.REMOVE_FOLDER, lambda: self._removed(path))

    def _removed(self, path: str) -> None:
        self._service.call(
            lambda client: client.remove([path]), lambda _answer: self._service.refresh()
        )


class _FolderRow(QWidget):
    """One folder: name, path, counts, progress, remove."""

    def __init__(self, path: str, parent: QWidget) -> None:
        super().__init__(parent)
        name = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        name.setText(printable(Path(path).name or path))
        name.setFont(theme.font(self.font(), 0.5, bold=True))
        self._path = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._path.setText(short_path(path))
        self._path.setToolTip(printable(path))
        self._path.setFont(theme.font(self.font(), -0.5))
        self._path.setForegroundRole(self._path.palette().ColorRole.PlaceholderText)
        self._text = _muted("", self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximum(1000)
        self.bar.setAccessibleName(printable(path))
        self.remove = QPushButton(s.REMOVE_FOLDER, self)
        self.remove.setProperty("class", "quiet")
        self.remove.setAccessibleName(f"{s.REMOVE_FOLDER} {printable(path)}")
        texts = QVBoxLayout()
        texts.setSpacing(HALF)
        for widget in (name, self._path, self._text, self.bar):
            texts.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        row.addLayout(texts, 1)
        row.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignTop)

    def show_folder(self, folder: dict[str, Any]) -> None:
        files, pending = int(folder.get("files", 0)), int(folder.get("pending", 0))
        parts = []
        if not folder.get("online", True):
            parts.append(s.FOLDER_OFFLINE)
        elif folder.get("scanning") and not files:
            parts.append(s.FOLDER_SCANNING)
        elif pending:
            parts.append(s.coverage(int(folder.get("done", 0)), files))
            if (eta := folder.get("eta_s")) is not None:
                parts.append(figures.left(float(eta)))
        else:
            parts.append(s.files(files))
        for key, text in (("failed", s.problems), ("withheld", s.withheld), ("skipped", s.skipped)):
            if count := int(folder.get(key, 0)):
                parts.append(text(count))
        self._text.setText(" · ".join(parts))
        self.bar.setVisible(pending > 0)
        self.bar.setValue(round(1000 * (files - pending) / files) if files else 0)


class ProblemPage(QWidget):
    """Files that are not in the index, or not all of them, each with its reason; retry, or allow
    what was withheld."""

    def __init__(self, service: IndexerConnection, *, withheld: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self._withheld = withheld
        name, action = (s.TAB_WITHHELD, s.ALLOW) if withheld else (s.TAB_PROBLEMS, s.RETRY)
        self.list = ProblemList(name, action, self, always=withheld)
        self.list.action_wanted.connect(self._act)
        self._empty = _muted(s.NO_WITHHELD if withheld else s.NO_PROBLEMS, self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._why = _muted(s.WITHHELD_WHY if withheld else "", self)
        self._why.setWordWrap(True)
        self._why.setContentsMargins(GRID, 0, GRID, 0)
        self._why.setVisible(withheld)
        self.skipped = QCheckBox(s.NOT_READ, self)
        self.skipped.toggled.connect(lambda _on: self.load())
        self.skipped.setVisible(not withheld)
        self.all = QPushButton(s.RETRY_ALL, self)
        self.all.clicked.connect(lambda: self._retry(None))
        self.all.setVisible(not withheld)
        row = QHBoxLayout()
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.addWidget(self.skipped, 1)
        row.addWidget(self.all)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * GRID, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._why)
        column.addWidget(self._empty, 1)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(1_000)
        self._again.timeout.connect(self.load)
        self.show_problems([])

    def load(self) -> None:
        """Ask for the list again."""
        states = ["withheld", "partly"] if self._withheld else ["failed", "partly"]
        if self.skipped.isChecked():
            states.append("skipped")
        self._service.call(
            lambda client: [
                problem
                for state in states
                for problem in client.problems(state=state, limit=1_000)["problems"]
                if state != "partly" or not self._withheld or _holds_secret(problem)
            ],
            self.show_problems,
            lambda error: self._empty.setText(telling.said(error)),
            key=f"problems-{self._withheld}",
        )

    def show_problems(self, problems: list[dict[str, Any]]) -> None:
        self.list.show_problems(problems)
        if not self._withheld:
            pending = int((self._service.status.get("totals") or {}).get("pending", 0))
            self._empty.setText(s.still_to_read(pending) if pending else s.NO_PROBLEMS)
        self.list.setVisible(bool(problems))
        self._empty.setVisible(not problems)
        self.all.setEnabled(any(problem.get("retry") for problem in problems))

    def _act(self, problem: dict[str, Any]) -> None:
        path = str(problem["path"])
        if not self._withheld:
            self._retry([path])
            return
        box = QMessageBox(self)
        box.setText(s.ALLOW_ASK.format(name=printable(Path(path).name)))
        box.setInformativeText(s.ALLOW_WHY)
        yes = box.addButton(s.ALLOW, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        yes.clicked.connect(lambda: self._allow(path))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _allow(self, path: str) -> None:
        self._service.call(lambda client: client.allow([path]), lambda _answer: self._changed())

    def _retry(self, paths: list[str] | None) -> None:
        self._service.call(lambda client: client.retry(paths), lambda _answer: self._changed())

    def _changed(self) -> None:
        self._service.refresh()
        self._again.start()  # the file is read again in a moment

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.list.viewport().update()


def _holds_secret(problem: dict[str, Any]) -> bool:
    """Of a file that is indexed in part: whether that is for a secret in it."""
    return "withheld:" in str(problem.get("detail", ""))


def _muted(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(theme.font(parent.font(), -0.5))
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    label.setMinimumWidth(1)
    return label
