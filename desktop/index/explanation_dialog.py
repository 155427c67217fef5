"""Why a file is found or not: state, reason, rule, and its place in each lane for this query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from desktop import strings as s
from desktop import theme
from desktop.connection import IndexerConnection
from desktop.presentation.paths import printable
from desktop.theme import GRID
from desktop.wording import figures, telling
from desktop.wording.language import tr
from engine.contract.errors import InklingError


class ExplanationDialog(QDialog):
    """Asks the indexer and shows its answer as a short form."""

    def __init__(self, service: IndexerConnection, path: str, query: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.EXPLAIN_TITLE.format(name=Path(path).name))
        self._sentence = QLabel(s.PREVIEW_LOADING, self)
        self._sentence.setWordWrap(True)
        self._sentence.setFont(theme.font(self.font(), 1))
        self._query = query
        self._form = QFormLayout()
        # Else a long path is given the room of a short one, and is cut.
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setHorizontalSpacing(2 * GRID)
        self._form.setVerticalSpacing(GRID)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignTop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        close.setIcon(QIcon())  # no other button of ours has one
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
        sentence = tr(str(answer.get("sentence") or "")) or s.STATES.get(state, state)
        recent = "" if self._query else s.EXPLAINED_RECENT
        self._sentence.setText(f"{sentence} {recent}".strip())
        self._add(s.DETAILS_PATH, printable(str(answer.get("path") or "")))
        self._add(tr("Rule"), str(answer.get("rule") or ""))
        units = answer.get("units")
        if isinstance(units, list):
            self._add(tr("Passages"), figures.number(len(units)))
        if query := answer.get("query"):
            shares = query.get("shares") or {}
            most = max(map(abs, shares.values()), default=0.0)
            for name, title in s.EXPLAINED.items():
                place, share = query.get(name), shares.get(name)
                self._add(title, _place(place, share, most), _numbers(place, share))

        QTimer.singleShot(0, self, self._fit)  # the form knows its new rows only then

    def _fit(self) -> None:
        """As high as wrapped texts need: a layout gives them less without a word."""
        layout = self.layout()
        if layout is not None:
            needed = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), max(self.height(), needed))

    def _add(self, name: str, value: str, numbers: str = "") -> None:
        if not value:
            return
        label = QLabel(value, self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setToolTip(numbers)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._form.addRow(name, label)

    def _failed(self, error: InklingError) -> None:
        self._sentence.setText(telling.said(error))


def _place(place: dict[str, float] | None, share: float | None, most: float) -> str:
    """Where a lane puts the file, and how much that counts beside the others, in words."""
    if place is None:
        return s.EXPLAINED_NOT
    told = s.EXPLAINED_PLACE.format(rank=place["rank"])
    if share is None or not most:
        return told
    part = share / most
    return f"{told}, {next(word for least, word in s.EXPLAINED_SHARES if part >= least)}"


def _numbers(place: dict[str, float] | None, share: float | None) -> str:
    """The same in numbers, for who wants them."""
    if place is None:
        return ""
    adds = "–" if share is None else figures.decimal(share, 2)
    return s.EXPLAINED_NUMBERS.format(score=figures.decimal(place["score"], 3), share=adds)
