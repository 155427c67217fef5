"""Workbooks of Excel that are no packages of XML (XLS, XLSB), and what only goes by such a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor
from indexer.reading.extract.rows import spreadsheet
from indexer.reading.extract.sheets import extract_xlsx
from indexer.reading.extract.tables import extract_csv
from indexer.reading.extract.web import extract_html

_OLE, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
#: Records that a workbook of before 1997 begins with, outside any container.
_BARE = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")


def extract_xls(path: Path, options: ExtractOptions) -> Extraction:
    """One part a sheet; web pages and tables of text that programs save as .xls, as such."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith((_OLE, *_BARE)) or path.suffix.lower() == ".xlsb":
        return _workbook(path, options)
    if head.startswith(_ZIP):
        return extract_xlsx(path, options)
    read = extract_html if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else extract_csv
    return read(path, options)


def _workbook(path: Path, options: ExtractOptions) -> Extraction:
    import python_calamine as calamine

    try:
        with path.open("rb") as file, calamine.load_workbook(file) as book:
            names = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            sheets = ((name, _rows(book.get_sheet_by_name(name))) for name in names)
            return spreadsheet(sheets, "", options.characters)
    except calamine.PasswordError as error:
        raise ExtractError("encrypted") from error
    except calamine.CalamineError as error:
        raise ExtractError("broken", str(error)[:200]) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the library's own, which is no Exception
            raise
        raise ExtractError("broken", str(error)[:200]) from error


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [shown(value) for value in row]


def shown(value: object) -> str:
    """A cell's value in words."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return str(value).removesuffix(" 00:00:00")
    return str(value)


EXTRACTORS = (
    Extractor(
        "xls",
        1,
        frozenset({"xls", "xlt", "xlsb"}),
        "note",
        extract_xls,
        reads="every cell with its column's head; web pages and tables of text under such a name",
    ),
)
