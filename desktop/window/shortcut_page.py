"""F1: every key from the table of actions, and what can be typed into the search."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop import strings as s
from desktop import theme
from desktop.presentation import kinds
from desktop.theme import GRID, HALF
from desktop.window.actions import ACTIONS, MENUS
from desktop.wording.language import tr

_MOST_KEYS = 3


class ShortcutPage(QDialog):
    """Two columns of cards: actions by menu, then the query language."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(s.SHORTCUTS_TITLE)
        page = QWidget(self)
        columns = QGridLayout(page)
        columns.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 4 * GRID)
        columns.setHorizontalSpacing(6 * GRID)
        columns.setVerticalSpacing(3 * GRID)
        groups = [(tr(menu), _keys_of(menu)) for menu in MENUS]
        groups.append((s.SHORTCUTS_TYPED, _syntax()))
        left, right = QVBoxLayout(), QVBoxLayout()
        heights = [0, 0]
        for title, rows in groups:
            column = 0 if heights[0] <= heights[1] else 1
            heights[column] += len(rows) + 3
            (left, right)[column].addWidget(_card(title, rows, page))
        for side, column_layout in enumerate((left, right)):
            column_layout.setSpacing(3 * GRID)
            column_layout.addStretch(1)
            columns.addLayout(column_layout, 0, side)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.resize(max(104 * GRID, page.sizeHint().width() + 3 * GRID), 84 * GRID)


def _syntax() -> list[tuple[str, str]]:
    known = ", ".join(row.id for row in kinds.WITH_ACTION)
    return [(typed, meaning.replace("{kinds}", known)) for typed, meaning in s.SYNTAX]


def _keys_of(menu: str) -> list[tuple[str, str]]:
    return [
        (_written(spec.keys), tr(spec.title).rstrip(" …"))
        for spec in ACTIONS.values()
        if spec.menu == menu and spec.keys
    ]


def _written(keys: Sequence[str]) -> str:
    """Keys as the platform writes them; of many that are a row the ends."""
    native = QKeySequence.SequenceFormat.NativeText
    known = [QKeySequence(key).toString(native) for key in keys]
    return f"{known[0]} … {known[-1]}" if len(known) > _MOST_KEYS else ",  ".join(known)


def _card(title: str, rows: list[tuple[str, str]], parent: QWidget) -> QWidget:
    card = QWidget(parent)
    grid = QGridLayout(card)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * GRID)
    grid.setVerticalSpacing(HALF + 2)
    head = QLabel(title, card)
    head.setFont(theme.font(card.font(), 1, bold=True))
    grid.addWidget(head, 0, 0, 1, 2)
    for row, (keys, what) in enumerate(rows, start=1):
        label = QLabel(what, card)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
        key = QLabel(keys, card)
        key.setTextFormat(Qt.TextFormat.PlainText)
        key.setAccessibleDescription(what)
        grid.addWidget(key, row, 0)
        grid.addWidget(label, row, 1)
    grid.setColumnMinimumWidth(0, 17 * GRID)
    grid.setColumnStretch(1, 1)
    return card
