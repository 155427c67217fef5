"""Privacy: what is indexed and withheld, where it lies, what agents were given, and taking out."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.client import Client
from desktop.connection import IndexerConnection
from desktop.presentation import privacy_strings as p
from desktop.presentation.kinds import KINDS
from desktop.presentation.paths import printable, short_path
from desktop.system.purging import Purged, purge
from desktop.theme import GRID
from desktop.widgets.asking import ask_first
from desktop.wording import figures, telling
from engine.contract.agent_log import AgentLog, AgentRead
from engine.contract.errors import InklingError

#: Answers to agents that are listed; `inkling agents` has all.
_MOST = 500


class PrivacyPage(QWidget):
    """Asked when it is shown; says in sentences, and has a button for what a person may want."""

    withheld_wanted = Signal()
    action_wanted = Signal(str)  # an action of the window, by its id

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self._log = AgentLog(service.base)
        self.indexed, self.kept_back, self.place, self.told = (self._text() for _ in range(4))
        self.indexed.setFont(theme.font(self.font(), 0.5, bold=True))
        self.agents = QListWidget(self)
        self.agents.setAccessibleName(p.AGENTS_TITLE)
        self.forget = self._button(p.AGENTS_CLEAR, self._forget)
        self.take_out = self._button(p.PURGE_BUTTON, self._choose)
        title = QLabel(p.AGENTS_TITLE, self)
        title.setFont(theme.font(self.font(), 0.5, bold=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, 2 * GRID, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(self.indexed)
        show = self._button(p.PRIVACY_SHOW_WITHHELD, self.withheld_wanted.emit)
        column.addLayout(_row(self.kept_back, show))
        column.addWidget(self.place)
        column.addSpacing(GRID)
        column.addLayout(_row(title, self.forget))
        column.addWidget(self.agents, 1)
        column.addWidget(self.told)
        foot = QHBoxLayout()
        foot.setSpacing(GRID)
        foot.addStretch(1)
        for name, label in (
            ("clear_history", s.CLEAR_HISTORY),
            ("forget_judged", s.FORGET_JUDGED),
            ("delete_index", s.DELETE_INDEX_BUTTON),
        ):
            foot.addWidget(self._button(label, lambda n=name: self.action_wanted.emit(n)))
        foot.addWidget(self.take_out)
        column.addLayout(foot)
        self.told.hide()

    def _text(self) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setMinimumWidth(1)
        return label

    def _button(self, label: str, act: Any) -> QPushButton:
        button = QPushButton(label, self)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        return button

    def load(self) -> None:
        """Ask for all of it again."""
        self.show_agents(self._log.entries())
        self._service.call(
            _asked, lambda found: self.show_index(*found), self._failed, key="privacy"
        )

    def show_index(self, status: dict[str, Any], kinds: dict[str, int], partly: int) -> None:
        totals = status.get("totals") or {}
        folders = s.folders(len(status.get("folders", ())))
        files = s.files(int(totals.get("files", 0)))
        known = [f"{KINDS[k].plural} {figures.number(n)}" for k, n in kinds.items() if k in KINDS]
        self.indexed.setText(p.PRIVACY_INDEXED.format(files=files, folders=folders))
        withheld = s.files(int(totals.get("withheld", 0)))
        said = [p.PRIVACY_WITHHELD.format(whole=withheld)]
        said += [p.PRIVACY_PARTLY.format(partly=s.files(partly))] if partly else []
        self.kept_back.setText("\n".join(filter(None, (" · ".join(known), " ".join(said)))))
        size = figures.size(int(status.get("index_bytes") or 0))
        place = short_path(str(self._service.base.root))
        self.place.setText(p.PRIVACY_PLACE.format(place=place, size=size))

    def show_agents(self, entries: list[AgentRead]) -> None:
        self.agents.clear()
        self.agents.addItems([_line(entry) for entry in entries[:_MOST]] or [p.NO_AGENTS])
        self.forget.setEnabled(bool(entries))

    def _forget(self) -> None:
        self._log.clear()
        self.show_agents([])

    # Taking out

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, p.PURGE_BUTTON)
        if folder:
            self.ask(folder)

    def ask(self, path: str) -> None:
        """Whether this folder is to go."""
        question = p.PURGE_ASK.format(folder=printable(path))
        ask_first(self, question, p.PURGE_WHY, p.PURGE_YES, lambda: self.purge(path))

    def purge(self, path: str) -> None:
        """Take it out; the indexer ends for it, and is started again after."""
        self.take_out.setEnabled(False)
        self._tell(p.PURGE_RUNS)
        self._service.let_go()
        base = self._service.base
        self._service.work(lambda: purge(base, [path]), self._purged, self._not_purged)

    def _purged(self, done: Purged) -> None:
        self._again()
        out = p.PURGED.format(files=s.files(done.files))
        if done.left:
            proof = p.PURGE_LEFT.format(names=", ".join(map(printable, done.left)))
        elif done.words:
            words, searched = figures.number(done.words), s.files(done.searched)
            proof = p.PURGE_PROVEN.format(words=words, files=searched)
        else:
            proof = p.PURGE_UNPROVEN
        rule = p.PURGE_RULE.format(rule=printable(done.rule)) if done.rule else ""
        self._tell(" ".join(filter(None, (out, proof, rule))))

    def _not_purged(self, error: InklingError) -> None:
        self._again()
        self._failed(error)

    def _again(self) -> None:
        self.take_out.setEnabled(True)
        self._service.start()
        self.show_agents(self._log.entries())

    def _failed(self, error: InklingError) -> None:
        self._tell(telling.said(error))

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        self.told.show()


def _asked(client: Client) -> tuple[dict[str, Any], dict[str, int], int]:
    """Status, how many files there are of each kind, and of how many a secret is withheld."""
    partly = client.problems(state="partly", limit=100_000)["problems"]
    secrets = sum("withheld:" in str(problem.get("detail", "")) for problem in partly)
    return client.status(), client.values().get("kind", {}), secrets


def _line(entry: AgentRead) -> str:
    names = [short_path(path) for path in entry.files]
    shown = names[0] if names else ""
    if len(names) > 1:
        shown = p.AGENT_AND_MORE.format(name=shown, more=figures.number(len(names) - 1))
    text = p.characters(entry.characters)
    return f"{figures.long_date(entry.at)} · {entry.tool} · {shown} · {text}"


def _row(wide: QWidget, button: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    row.addWidget(wide, 1)
    row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
    return row
