"""What the preview shows, loaded off the interface's thread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage

from desktop.client import Client
from desktop.presentation import highlight, kinds
from desktop.preview.table import Cells, cells_of
from desktop.system import current
from engine.contract.errors import InklingError
from engine.contract.types import Hit, Location

#: Characters shown at once: more makes the text widget stutter (400,000 take 40 ms to set).
SHOWN = 300_000
#: Of Markdown, which is set block by block: 100,000 take 0.3 s.
SHOWN_SET = 100_000
_READ_BYTES = 4_000_000
#: Texts that are written for programs: shown as they were read for the index.
_AS_INDEXED = ("ipynb", "html", "htm", "xhtml", "eml", "mbox", "rtf", "svg", "fb2", "mht")
_TABLES = ("csv", "tsv", "tab")
_MARKDOWN = ("md", "markdown", "mdown", "qmd", "rmd")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or one page, as pixels."""

    image: QImage
    page: int | None  # 1-based; None for pictures
    pages: int = 0  # how many the document has; 0 for pictures


@dataclass(frozen=True, slots=True)
class Text:
    """A text, or the part of a long one around the passage."""

    text: str
    first_line: int  # 1-based number of its first line in the file
    runs: tuple[highlight.Run, ...]
    code: bool
    markdown: bool
    cut: bool
    cells: Cells | None = None  # of a table


Content = Picture | Text


def load(client: Client, hit: Hit, location: Location, width: int) -> Content:
    """A result's content at a place; InklingError where there is nothing to show."""
    if hit.archive and kinds.of(hit).preview != "text":
        try:  # an archive may keep no pages and pictures
            return load_page(client, hit, location.page or None, width)
        except InklingError:
            return load_text(client, hit, location)
    match kinds.of(hit).preview:
        case "pixels":
            return load_page(client, hit, None, width)
        case "pages":
            return load_page(client, hit, location.page or 1, width)
        case "text":
            return load_text(client, hit, location)


def load_page(client: Client, hit: Hit, page: int | None, width: int) -> Picture:
    """Rendered by the indexer's workers: this process never parses a person's files."""
    data = client.render(hit.path, page, width, archive=hit.archive)
    image = QImage.fromData(QByteArray(data)) if data else QImage()
    if image.isNull():
        raise InklingError("This can't be shown.", hint="Open it instead.", path=hit.path)
    pages = image.text("Pages")
    return Picture(image, page, int(pages) if page and pages.isdecimal() else page or 0)


def load_text(client: Client, hit: Hit, location: Location) -> Text:
    """Plain text from the file itself, other formats as they were indexed."""
    suffix = Path(hit.path).suffix.lower().lstrip(".")
    text = None if hit.archive or suffix in _AS_INDEXED else _read(hit.path)
    own = text is not None
    if text is None:
        text = client.text(hit.path, archive=hit.archive)
    code = kinds.of(hit).code and own
    markdown = suffix in _MARKDOWN  # of a disk that is away, too: as it was indexed
    first, shown, cut = window(text, location, SHOWN_SET if markdown else SHOWN)
    coloured = tuple(highlight.runs(shown, hit.path)) if code else ()
    cells = cells_of(shown, suffix) if own and first == 1 and suffix in _TABLES else None
    return Text(shown, first, coloured, code, markdown, cut, cells)


def _read(path: str) -> str | None:
    """The text of a plain text file; None for anything else, and what would have to be fetched."""
    try:
        if current().in_cloud(os.path.basename(path), os.stat(path)):
            return None
        with open(path, "rb") as file:
            data = file.read(_READ_BYTES)
    except OSError:
        return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        # A character cut in half by the limit is no reason to doubt the rest.
        if error.start > len(data) - 4:
            return data[: error.start].decode("utf-8-sig")
        return None


def window(text: str, location: Location, most: int = SHOWN) -> tuple[int, str, bool]:
    """(number of the first line shown, what is shown, whether something was left out)."""
    if len(text) <= most:
        return 1, text, False
    line = location.lines[0] if location.lines else 1
    at = 0
    for _ in range(line - 1):
        following = text.find("\n", at) + 1
        if not following:
            break
        at = following
    start = text.rfind("\n", 0, max(0, at - most // 2)) + 1
    return text.count("\n", 0, start) + 1, text[start : start + most], True
