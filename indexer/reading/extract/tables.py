"""Tables: spreadsheets sheet by sheet, comma and tab separated values. Header words go along."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.office import _OFFICE, odf_cells
from indexer.reading.extract.packages import package, xml

#: Characters kept of one file: enough to find it by.
_MAX_CHARACTERS = 400_000
_MAX_HEADER = 120
_MAX_CELL = 1_000
_TABLE = f"{{{_OFFICE}table:1.0}}"


def extract_xlsx(path: Path, options: ExtractOptions) -> Extraction:
    """One part a sheet, one line a row."""
    with package(path):
        from openpyxl import load_workbook

        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheets = [
            (sheet.title, (map(_shown, row) for row in sheet.iter_rows(values_only=True)))
            for sheet in book.worksheets
        ]
        return _spreadsheet(sheets, book.properties.title or "")
    finally:
        book.close()


def extract_ods(path: Path, options: ExtractOptions) -> Extraction:
    """The same for OpenDocument."""
    with package(path) as archive:
        content = xml(archive, "content.xml")
    sheets = [
        (table.get(f"{_TABLE}name", ""), map(odf_cells, table.iter(f"{_TABLE}table-row")))
        for table in content.iter(f"{_TABLE}table")
    ]
    return _spreadsheet(sheets, "")


def extract_csv(path: Path, options: ExtractOptions) -> Extraction:
    """One part; its first line gives the header words if it looks like one."""
    text = decode(path.read_bytes())
    csv.field_size_limit(len(text) + 1)
    dialect: Any = csv.excel_tab if path.suffix.lower() in (".tsv", ".tab") else csv.excel
    with suppress(csv.Error):
        dialect = csv.Sniffer().sniff(text[:2048], delimiters=",;\t|")
    notes: list[str] = []
    rows = csv.reader(text.rstrip("\n").split("\n"), dialect)
    part = _table(rows, (), notes)
    # A cell with a line break, or many empty lines, and rows are lines no more.
    if part is not None and part.text.count("\n") + 1 == rows.line_num:
        part.lines = (1, part.text.count("\n") + 1)
    return Extraction(kind="note", parts=[part] if part else [], notes=notes)


def _spreadsheet(sheets: Iterable[tuple[str, Iterable[Iterable[str]]]], title: str) -> Extraction:
    notes: list[str] = []
    parts = [part for name, rows in sheets if (part := _table(rows, (name,), notes))]
    return Extraction(kind="note", parts=parts, title=title, notes=notes)


def _table(
    rows: Iterable[Iterable[str]], heading: tuple[str, ...], notes: list[str]
) -> Part | None:
    """Rows as lines of cells; the header's words become part of the heading, so of each unit."""
    lines: list[str] = []
    size = 0
    header = ""
    for cells in _clean(rows):
        if not header and _is_header(cells):
            header = ", ".join(cell for cell in cells if cell)[:_MAX_HEADER]
        lines.append(" | ".join(cells))
        size += len(lines[-1])
        if size > _MAX_CHARACTERS:
            notes.append(f"Only the first {len(lines):,} rows of a table are indexed.")
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


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).removesuffix(" 00:00:00")


EXTRACTORS = (
    Extractor("xlsx", 1, frozenset({"xlsx", "xlsm", "xltx"}), "note", extract_xlsx),
    Extractor("ods", 1, frozenset({"ods", "ots"}), "note", extract_ods),
    Extractor("csv", 1, frozenset({"csv", "tsv", "tab", "psv"}), "note", extract_csv),
)
