"""Spreadsheets of Excel, sheet by sheet, read cell by cell as they lie in the file: no cell that
is not there is walked over, and nothing but a sheet itself can spoil its reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.ooxml import (
    Package,
    attribute,
    drawn_texts,
    local,
    office_package,
    runs_text,
)
from indexer.reading.extract.properties import add_told
from indexer.reading.extract.rows import spreadsheet

#: What of a sheet is read beside its rows, and codes within its headers and footers.
_BESIDE_ROWS = ("{*}dataValidation", "{*}headerFooter")
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-F+-]{6}|\d{1,3}|[A-Z])')
_COLUMN = re.compile(r"[A-Za-z]+")
#: Empty cells between two that are kept as such; more of them say nothing.
_WIDEST_GAP, _LONGEST_GAP = 8, 3
#: Number formats of dates and times that every workbook has.
_PERCENTS = frozenset({"9", "10"})
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))


def extract_xlsx(path: Path, options: ExtractOptions) -> Extraction:
    """One part a sheet, one line a row; comments, text boxes and charts below its rows."""
    with office_package(path) as parts:
        main = parts.main("xl/workbook.xml")
        book = _Book(parts, main)
        sheets = ((sheet.name, book.rows(sheet)) for sheet in book.sheets())
        title, told = parts.properties()
        extraction = spreadsheet(sheets, title, options.characters)
        names = book.names()
    add_told(extraction.parts, told)
    if names:
        extraction.parts.append(Part("\n".join(names)))
    return extraction


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str


class _Book:
    """A workbook: what its sheets' cells refer to."""

    def __init__(self, parts: Package, main: str) -> None:
        self._parts, self._main = parts, main
        self._root = parts.root(main)
        self._shared = list(self._strings())
        self._dated, self._percents = self._number_styles()
        self._since_1904 = any(
            attribute(row, "date1904") in ("1", "true") for row in self._all("workbookPr")
        )

    def _all(self, name: str) -> Iterable[Any]:
        return () if self._root is None else self._root.iter(f"{{*}}{name}")

    def sheets(self) -> Iterator[_Sheet]:
        """Every sheet in the order of the tabs; those of a book that names none, too."""
        targets = {row.id: row.target for row in self._parts.related(self._main)}
        named = False
        for row in self._all("sheet"):
            wanted = next((v for k, v in row.attrib.items() if "}" in k), "")
            if wanted in targets:
                named = True
                yield _Sheet(row.get("name", ""), targets[wanted])
        if not named:
            for name in self._parts.names("xl/worksheets/sheet"):
                yield _Sheet("", name)

    def names(self) -> list[str]:
        """Names that a person gave to cells, a line each."""
        rows = [(row.get("name", ""), row.text or "") for row in self._all("definedName")]
        return [f"{name}: {place}" for name, place in rows if not name.startswith("_xlnm")]

    def rows(self, sheet: _Sheet) -> Iterator[list[str]]:
        """The rows of cells as shown, then what else is on the sheet."""
        yield from self._cells(sheet.part)
        threads = self._parts.related(sheet.part, "threadedComment", "threadedComments")
        notes = [] if threads else self._parts.related(sheet.part, "comments")
        for row in (*notes, *threads):
            root = self._parts.root(row.target)
            for comment in () if root is None else root.iter("{*}comment", "{*}threadedComment"):
                yield [f"{comment.get('ref', '')}: {_text(comment)}"]
        for row in self._parts.related(sheet.part, "drawing"):
            root = self._parts.root(row.target)
            for body in () if root is None else root.iter("{*}txBody"):
                yield [runs_text(body)]
            for text in drawn_texts(self._parts, row.target):
                yield [text]

    def _cells(self, part: str) -> Iterator[list[str]]:
        from lxml import etree

        above = 0
        with self._parts.stream(part) as file:
            rows = etree.iterparse(
                file,
                tag=("{*}row", *_BESIDE_ROWS),
                recover=True,
                resolve_entities=False,
                no_network=True,
            )
            try:
                for _, row in rows:
                    if local(row) != "row":
                        yield from ([text] for text in _told(row))
                        continue
                    said = row.get("r", "")
                    number = int(said) if said.isdigit() else above + 1
                    for _ in range(min(number - above - 1, _LONGEST_GAP)):
                        yield []
                    above = number
                    yield self._row(row)
                    row.clear()
                    while row.getprevious() is not None:
                        del row.getparent()[0]
            except etree.XMLSyntaxError:
                return  # what stands before the damage is read

    def _row(self, row: Any) -> list[str]:
        cells: list[str] = []
        at = 0  # the column that comes next
        for cell in row:
            if local(cell) != "c":
                continue
            column = _column(cell.get("r", "")) or at
            text = self._shown(cell)
            if text:
                cells += [""] * min(max(column - at, 0), _WIDEST_GAP)
                cells.append(text)
                at = column + 1
        return cells

    def _shown(self, cell: Any) -> str:
        value = formula = inline = None
        for child in cell:
            name = local(child)
            if name == "v":
                value = child.text
            elif name == "f":
                formula = child.text
            elif name == "is":
                inline = _text(child)
        kind = cell.get("t", "n")
        if inline is not None:
            return inline
        if not value:
            return f"={formula}" if formula else ""
        if kind == "s":
            place = int(value) if value.strip().isdigit() else -1
            return self._shared[place] if 0 <= place < len(self._shared) else ""
        if kind == "b":
            return "True" if value == "1" else "False"
        return self._number(value, cell.get("s", "")) if kind == "n" else value

    def _number(self, value: str, style: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if style in self._dated:
            return self._date(number) or value
        if style in self._percents:
            return f"{number * 100:.12g}%"
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return str(number)

    def _date(self, number: float) -> str:
        from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

        epoch = CALENDAR_MAC_1904 if self._since_1904 else CALENDAR_WINDOWS_1900
        try:
            return str(from_excel(number, epoch)).removesuffix(" 00:00:00")
        except (ValueError, OverflowError):
            return ""

    def _strings(self) -> Iterator[str]:
        rows = self._parts.related(self._main, "sharedStrings")
        root = self._parts.root(rows[0].target if rows else "xl/sharedStrings.xml")
        for item in () if root is None else root:
            yield _text(item)

    def _number_styles(self) -> tuple[frozenset[str], frozenset[str]]:
        """Numbers of the cell styles that show a date or a time, and a percentage."""
        from openpyxl.styles.numbers import is_date_format

        rows = self._parts.related(self._main, "styles")
        root = self._parts.root(rows[0].target if rows else "xl/styles.xml")
        if root is None:
            return frozenset(), frozenset()
        formats = {row.get("numFmtId"): row.get("formatCode", "") for row in root.iter("{*}numFmt")}
        styles = (style for group in root.iter("{*}cellXfs") for style in group.iter("{*}xf"))
        dated, percents = set(), set()
        for place, style in enumerate(styles):
            own = style.get("numFmtId", "0")
            written = formats.get(own)
            if is_date_format(written) if written else own.isdigit() and int(own) in _DATES:
                dated.add(str(place))
            elif "%" in written if written else own in _PERCENTS:
                percents.add(str(place))
        return frozenset(dated), frozenset(percents)


def _told(element: Any) -> Iterator[str]:
    """What a sheet says beside its rows: headers and footers, hints and choices of its cells."""
    if local(element) == "dataValidation":
        yield from filter(None, map(element.get, ("promptTitle", "prompt", "errorTitle", "error")))
    for child in element:
        text = child.text or ""
        if local(element) == "headerFooter":
            yield _CODES.sub(" ", text)
        elif local(child) == "formula1" and text.startswith('"'):
            yield text.strip('"')


def _text(element: Any) -> str:
    """The text below an element; how Japanese is read aloud left out."""
    pieces = []
    for node in element.iter("{*}t", "{*}text"):
        above = node.getparent()
        if above is None or local(above) != "rPh":
            pieces.append(node.text or "")
    return "".join(pieces)


def _column(reference: str) -> int | None:
    """The column of "C5", counted from 0."""
    found = _COLUMN.match(reference)
    if found is None:
        return None
    number = 0
    for letter in found[0].upper()[:4]:
        number = number * 26 + ord(letter) - 64
    return number - 1


EXTRACTORS = (
    Extractor(
        "xlsx",
        3,
        frozenset({"xlsx", "xlsm", "xltx", "xltm"}),
        "note",
        extract_xlsx,
        reads="every cell with its column's head, formulas without a value, comments, names,"
        " text boxes, charts, choices and hints of cells, headers and footers; properties",
    ),
)
