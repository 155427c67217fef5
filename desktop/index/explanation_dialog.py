"""Why a file is found or not: state, reason, rule, and its place in each lane for this query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.theme import GRID
from engine.contract.errors import InklingError


class ExplanationDialog(QDialog):
    """Asks the indexer and shows its answer as a short form."""

    def __init__(self, service: IndexerConnection, path: str, query: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.EXPLAIN_TITLE.format(name=Path(path).name))
        self._sentence = QLabel(s.PREVIEW_LOADING, self)
        self._sentence.setWordWrap(True)
        self._sentence.setFont(theme.font(self.font(), 1))
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(2 * GRID)
        self._form.setVerticalSpacing(GRID)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(self._sentence)
        column.addLayout(self._form)
        column.addStretch(1)
        column.addWidget(buttons)
        self.resize(64 * GRID, 40 * GRID)
        service.call(
            lambda client: client.explain(path, query or None),
            self.show_answer,
            self._failed,
            key="explain",
        )

    def show_answer(self, answer: dict[str, Any]) -> None:
        """Fill the form; what the indexer does not say is left out."""
        state = str(answer.get("state") or "")
        self._sentence.setText(str(answer.get("sentence") or s.STATES.get(state, state)))
        rows = [(s.DETAILS_PATH, answer.get("path")), (s.tr("State"), state)]
        rows.append((s.tr("Rule"), answer.get("rule")))
        units = answer.get("units")
        if isinstance(units, list):
            rows.append((s.tr("Passages"), f"{len(units):,}"))
        if query := answer.get("query"):
            shares = query.get("shares") or {}
            rows += [(s.EXPLAINED[n], _place(query.get(n), shares.get(n))) for n in s.EXPLAINED]
        for name, value in rows:
            if value not in (None, "", [], {}):
                label = QLabel(str(value), self)
                label.setWordWrap(True)
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._form.addRow(name, label)

    def _failed(self, error: InklingError) -> None:
        self._sentence.setText(str(error))


def _place(place: dict[str, float] | None, share: float | None) -> str:
    """Where a lane puts the file, and what that adds to its score."""
    if place is None:
        return s.EXPLAINED_NOT
    told = s.EXPLAINED_PLACE.format(rank=place["rank"], score=f"{place['score']:.3f}")
    return told if share is None else f"{told}, {s.EXPLAINED_SHARE.format(share=f'{share:.2f}')}"
