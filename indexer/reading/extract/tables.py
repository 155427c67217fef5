"""Comma and tab separated values."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import Extraction, ExtractOptions, Extractor
from indexer.reading.extract.encodings import decode
from indexer.reading.extract.rows import Budget, table


def extract_csv(path: Path, options: ExtractOptions) -> Extraction:
    """One part; its first line gives the header words if it looks like one."""
    text = decode(path.read_bytes())
    # The whole process's: never lowered, it is somebody else's as well.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    dialect: Any = csv.excel_tab if path.suffix.lower() in (".tsv", ".tab") else csv.excel
    with suppress(csv.Error):
        dialect = csv.Sniffer().sniff(text[:2048], delimiters=",;\t|")
    budget = Budget(options.characters)
    rows = csv.reader(text.rstrip("\n").split("\n"), dialect)
    part = table(rows, (), budget)
    # A cell with a line break, or many empty lines, and rows are lines no more.
    if part is not None and part.text.count("\n") + 1 == rows.line_num:
        part.lines = (1, part.text.count("\n") + 1)
    return Extraction(kind="note", parts=[part] if part else [], notes=budget.notes)


EXTRACTORS = (
    Extractor(
        "csv",
        3,
        frozenset({"csv", "tsv", "tab", "psv"}),
        "note",
        extract_csv,
        reads="every row with its columns' heads",
    ),
)
