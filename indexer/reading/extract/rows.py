"""Rows of cells as text: a line each, the header's words with every passage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from indexer.reading.extract.base import Extraction, Part

_MAX_HEADER = 120
_MAX_CELL = 32_768  # what a cell of Excel can hold
#: A sheet of fewer characters may be joined with others, and then its name is no heading any more.
_SMALL = 350
#: What programs call a sheet when nobody names it.
_UNNAMED = re.compile(
    r"(?:sheet|tabelle|table|feuil|feuille|hoja|foglio|blad|planilha|arkusz|лист|シート)\s*\d*",
    re.I,
)


class Budget:
    """Characters of one file that are still to be taken."""

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.notes: list[str] = []

    def spent(self, characters: int) -> bool:
        """Take so many; whether that was more than there were."""
        self.left -= characters
        return self.left < 0


def spreadsheet(
    sheets: Iterable[tuple[str, Iterable[Iterable[str]]]], title: str, characters: int
) -> Extraction:
    """One part a sheet, of names and rows."""
    budget = Budget(characters)
    parts: list[Part] = []
    for name, rows in sheets:
        if budget.left < 0:
            budget.notes.append(f"Sheets from “{name}” on are not indexed.")
            break
        part = table(rows, (name,) if name else (), budget)
        if part is None:
            continue
        if len(part.text) < _SMALL and name and not _UNNAMED.fullmatch(name):
            part.text = f"{name}\n{part.text}"
        parts.append(part)
    return Extraction(kind="note", parts=parts, title=title, notes=budget.notes)


def table(rows: Iterable[Iterable[str]], heading: tuple[str, ...], budget: Budget) -> Part | None:
    """Rows as lines of cells; the header's words become part of the heading, so of each unit."""
    lines: list[str] = []
    header = ""
    for cells in _clean(rows):
        if not header and _is_header(cells):
            header = ", ".join(cell for cell in cells if cell)[:_MAX_HEADER]
        lines.append(" | ".join(cells))
        if budget.spent(len(lines[-1]) + 1):
            budget.notes.append(f"Only the first {len(lines):,} rows of a table are indexed.")
            break
    if not any(lines):
        return None
    return Part("\n".join(lines), heading=(*heading, header) if header else heading)


def _clean(rows: Iterable[Iterable[str]]) -> Iterator[list[str]]:
    gap = 0
    for row in rows:
        cells = [" ".join(cell.split())[:_MAX_CELL] for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        # A few empty rows keep the distance between two tables; a million of them say nothing.
        gap = 0 if cells else gap + 1
        if gap < 3:
            yield cells


def _is_header(cells: list[str]) -> bool:
    words = [cell for cell in cells if any(c.isalpha() for c in cell)]
    return len(words) >= 2 and len(words) >= 0.6 * len([cell for cell in cells if cell])
