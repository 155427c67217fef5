"""What the rules leave out, rule by rule, and the files and folders of one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.index.problem_list import ProblemList
from desktop.theme import GRID
from desktop.wording import telling
from desktop.wording.language import tr
from engine.contract.errors import InklingError

_MOST = 1_000


class LeftOutPage(QWidget):
    """The rules with how much each leaves out; of one that is chosen all that it does."""

    def __init__(self, service: IndexerConnection, parent: QWidget) -> None:
        super().__init__(parent)
        self._service = service
        self.list = ProblemList(s.TAB_LEFT_OUT, s.SHOW_LEFT_OUT, self)
        self.list.action_wanted.connect(self._open)
        self.note = QLabel(s.LEFT_OUT_WHY, self)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setFont(theme.font(self.font(), -0.5))
        self.note.setForegroundRole(self.note.palette().ColorRole.PlaceholderText)
        self.note.setWordWrap(True)
        self.back = QPushButton(s.ALL_RULES, self)
        self.back.clicked.connect(self.load)
        row = QHBoxLayout()
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.addWidget(self.note, 1)
        row.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * GRID, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        self.back.hide()

    def load(self) -> None:
        """Ask for the rules again."""
        self._service.call(
            lambda client: client.problems(limit=1).get("left_out", []),
            self.show_rules,
            self._failed,
            key="left-out",
        )

    def show_rules(self, rules: list[dict[str, Any]]) -> None:
        self.back.hide()
        self.note.setText(s.LEFT_OUT_WHY if rules else s.NO_LEFT_OUT)
        self.list.show_problems([_row(rule) for rule in rules])

    def _open(self, row: dict[str, Any]) -> None:
        rule = row["rule"]
        self._service.call(
            lambda client: client.problems(reason=rule["reason"], rule=rule["rule"], limit=_MOST)[
                "problems"
            ],
            lambda problems: self._show_entries(row, problems),
            self._failed,
            key="left-out",
        )

    def _show_entries(self, row: dict[str, Any], problems: list[dict[str, Any]]) -> None:
        self.back.show()
        self.note.setText(f"{row['title']}: {row['aside']}. {telling.here(row['hint'])}")
        # What may be done stands above; allowing a secret is the next page's.
        self.list.show_problems([{**problem, "retry": False} for problem in problems])

    def _failed(self, error: InklingError) -> None:
        self.note.setText(telling.said(error))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.list.viewport().update()


def _row(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as the list shows it; where there is no pattern the sentence stands for it."""
    pattern, sentence = str(rule["rule"]), str(rule["sentence"])
    return {
        "path": rule["source"],
        "title": pattern or tr(sentence).rstrip("."),
        "aside": s.entries(int(rule["files"]), int(rule["folders"])),
        "sentence": sentence if pattern else "",
        "hint": rule["hint"],
        "retry": True,
        "rule": rule,
    }
