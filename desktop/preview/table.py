"""Comma and tab separated values as a table: rows and columns instead of commas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop import strings as s
from desktop import theme
from desktop.theme import GRID
from engine.contract.types import Location

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
#: More is no table for people; the text shows the rest.
MOST_ROWS, MOST_COLUMNS = 20_000, 200
_WIDEST = 40 * GRID
_NUMBER = re.compile(r"\s*[-+]?[\d.,' ]*\d\s*[%€$]?\s*")


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of a table, and the line of the text (from 0) on which each begins."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    @property
    def headed(self) -> bool:
        """Whether the first row names the columns: it has words, and none of its cells a number."""
        first = self.rows[0] if self.rows else ()
        return len(self.rows) > 1 and all(cell and not _NUMBER.fullmatch(cell) for cell in first)


def cells_of(text: str, suffix: str) -> Cells | None:
    """The cells of a text; None where it is no table of two columns at least."""
    dialect: type[csv.Dialect] = csv.excel_tab if suffix in ("tsv", "tab") else csv.excel
    with suppress(csv.Error):
        dialect = csv.Sniffer().sniff(text[:2048], delimiters=",;\t|")
    reader = csv.reader(io.StringIO(text), dialect)
    rows, lines, begun = list[tuple[str, ...]](), list[int](), 0
    try:
        for row in reader:
            if row:
                rows.append(tuple(" ".join(cell.split()) for cell in row[:MOST_COLUMNS]))
                lines.append(begun)
            begun = reader.line_num
            if len(rows) == MOST_ROWS:
                break
    except csv.Error:
        return None
    return Cells(tuple(rows), tuple(lines)) if max(map(len, rows), default=0) > 1 else None


class _Model(QAbstractTableModel):
    def __init__(self, owner: TableView) -> None:
        super().__init__(owner)
        self._owner = owner
        self.cells = Cells((), ())
        self.first = 0  # row of the cells that is the table's first: 1 below a head
        self.columns = 0
        self.passage = range(0)
        self.words: tuple[str, ...] = ()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else max(len(self.cells.rows) - self.first, 0)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else self.columns

    def cell(self, row: int, column: int) -> str:
        found = self.cells.rows[row + self.first]
        return found[column] if column < len(found) else ""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        text = self.cell(index.row(), index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return text
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight
                if not _NUMBER.fullmatch(text):
                    side = Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.BackgroundRole if index.row() in self.passage:
                c = theme.of(self._owner.palette())
                if any(word in text.casefold() for word in self.words):
                    return c.mark
                tint = QColor(c.accent)
                tint.setAlphaF(0.08)
                return tint
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return str(self.cells.lines[section + self.first] + 1)
        head = self.cells.rows[0] if self.first else ()
        return head[section] if section < len(head) else str(section + 1)

    def show(self, cells: Cells) -> None:
        self.beginResetModel()
        self.cells = cells
        self.first = int(cells.headed)
        self.columns = max(map(len, cells.rows), default=0)
        self.endResetModel()


class TableView(QTableView):
    """A table to look at: its head stays, the passage is tinted, the words in it are marked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._cells = _Model(self)
        self.setModel(self._cells)
        self.setAccessibleName(s.TABLE_NAME)
        self.setFrameShape(self.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)  # Tab goes on to what comes after the table
        self.setWordWrap(False)
        self.horizontalHeader().setResizeContentsPrecision(100)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(max(3 * GRID, self.fontMetrics().height() + 8))

    def show_cells(self, cells: Cells, location: Location, words: Sequence[str]) -> None:
        """Another table, at a place of it."""
        self._cells.show(cells)
        self.resizeColumnsToContents()
        for column in range(self._cells.columns):
            self.setColumnWidth(column, min(self.columnWidth(column) + GRID, _WIDEST))
        self.go_to(location, words)

    def go_to(self, location: Location, words: Sequence[str]) -> None:
        """Scroll to the passage's rows."""
        self._cells.words = tuple(word.casefold() for word in words if word.strip())
        self._cells.passage = range(0)
        if location.lines is not None:
            first, last = location.lines
            lines = self._cells.cells.lines[self._cells.first :]
            inside = [row for row, line in enumerate(lines) if first <= line + 1 <= last]
            if inside:
                self._cells.passage = range(inside[0], inside[-1] + 1)
                top = QAbstractItemView.ScrollHint.PositionAtTop
                self.scrollTo(self._cells.index(max(inside[0] - 2, 0), 0), top)
        self.viewport().update()

    def find_text(self, text: str, *, backwards: bool) -> bool:
        """Select the next cell that holds the text, round the end; whether there is one."""
        rows, columns = self._cells.rowCount(), self._cells.columns
        count = rows * columns
        at = self.currentIndex()
        here = at.row() * columns + at.column() if at.isValid() else (0 if backwards else -1)
        wanted = text.casefold()
        for step in range(1, count + 1):
            row, column = divmod((here + (-step if backwards else step)) % count, columns)
            if wanted in self._cells.cell(row, column).casefold():
                self.setCurrentIndex(self._cells.index(row, column))
                return True
        return False

    def selected_text(self) -> str:
        """The selected cells, as other programs take tables."""
        chosen = sorted((i.row(), i.column()) for i in self.selectionModel().selectedIndexes())
        lines: dict[int, list[str]] = {}
        for row, column in chosen:
            lines.setdefault(row, []).append(self._cells.cell(row, column))
        return "\n".join("\t".join(cells) for cells in lines.values())
